// Archives among the sources of a data set.
#pragma once

#include <vector>

#include "base/result.h"
#include "data/importer.h"
#include "data/table_builder.h"

namespace atelier::data {

// Puts the files within each archive in its place, under the archive's name as a folder; what is hidden, an archive
// again or a licence is left out with a warning. With `keep_media`, nothing is changed where an archive holds
// pictures or recordings: their formats read it themselves. Errors: those of ArchiveReader.
Status ExpandArchives(storage::BlobStore& blobs, bool keep_media, TableBuilder& table, std::vector<SourceFile>& files);

}  // namespace atelier::data
