// How a language model is asked to answer: options that `chat` and `predict` share.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::cli {

struct SamplingOptions {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int64_t> max_tokens;
  std::optional<int64_t> seed;
  std::vector<std::string> stop;
  std::string schema_file;
};

void AddSamplingOptions(CLI::App& command, SamplingOptions& options);

// The fields of a request's body; ranges are the server's business. Errors: kInvalidArgument "usage" (a schema that
// cannot be read).
Result<boost::json::object> SamplingFields(const SamplingOptions& options);

// A whole text file of at most 8 MiB, or a JSON file. Errors: kInvalidArgument "usage".
Result<std::string> ReadTextFile(const std::string& path);
Result<boost::json::value> ReadJsonFile(const std::string& path);
// What stands on standard input, to its end; at most 8 MiB. Errors: kInvalidArgument "usage".
Result<std::string> ReadStandardInput();

}  // namespace atelier::cli
