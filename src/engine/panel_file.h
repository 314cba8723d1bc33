// Packed weights on disk, so that the next start need not pack them again.
//
// The file: kHeaderBytes with the magic "ATLPANEL", the identity of 64 characters and zeros; then the panels as they
// lie in memory (tensor/packed/packed_format.h).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "engine/thread_pool.h"

namespace atelier::engine {

// Fills `panels` from a file of exactly them. Errors, and then `panels` are unspecified: kNotFound (no such file, or
// one of another identity or size), kInternal (cannot be read).
Status ReadPanels(const std::filesystem::path& file, const std::string& identity, std::span<std::byte> panels,
                  ThreadPool& threads);

// Writes a file that is there as a whole or not at all, also after a power cut. Errors: kCancelled when `stop` was
// asked for, kResourceExhausted "storage_full" and kInternal when it cannot be written; nothing is left then.
Status WritePanels(const std::filesystem::path& file, const std::string& identity, std::span<const std::byte> panels,
                   const std::stop_token& stop);

}  // namespace atelier::engine
