// A model version as a folder on the local disk, for the process that loads it.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "base/result.h"
#include "registry/registry.h"
#include "storage/blob_store.h"

namespace atelier::serving {

// MODEL-ID-VERSION-HASH: the hash is of the files' names and contents, so another content is another folder.
std::string ModelFolderName(const registry::ModelVersion& version);

// Lays the version's files out in root/ModelFolderName, as hard links of verified blobs, or as copies where links are
// not possible. Atomic: a folder that is there is whole. An existing whole folder is reused. Thread-safe.
// Errors: kFailedPrecondition (no files), kDataLoss (a file name that is no plain name, a damaged or missing blob),
// kInternal (the disk).
Result<std::filesystem::path> LayOutModel(storage::BlobStore& blobs, const std::filesystem::path& root,
                                          const registry::ModelVersion& version);

// Removes the folders under root, and what interrupted layouts left, but for those named in `keep`.
void PruneModelFolders(const std::filesystem::path& root, const std::set<std::string>& keep);

}  // namespace atelier::serving
