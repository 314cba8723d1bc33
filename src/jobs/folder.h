// A job's folder: what its process is started with.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "jobs/job.h"
#include "storage/files.h"

namespace atelier::jobs {

std::filesystem::path JobFolder(const std::filesystem::path& data_dir, const std::string& id);

// Creates the folder and writes spec.json, durably: the job's specification with "id", "kind" and "attempt" beside it.
// Errors: kResourceExhausted "storage_full", kInternal.
Status PrepareFolder(const std::filesystem::path& folder, const Job& job, int attempt);

// log.txt, for appending. Errors: as PrepareFolder.
Result<storage::FileDescriptor> OpenLog(const std::filesystem::path& folder);

// The lock that a job's processes hold for as long as one of them lives. Errors: kUnavailable when they do.
Result<storage::FileDescriptor> LockFolder(const std::filesystem::path& folder);

}  // namespace atelier::jobs
