// Finding the model that a request for text names.
#pragma once

#include <memory>
#include <string>

#include "api/services.h"
#include "base/json.h"
#include "serving/language_model.h"

namespace atelier::api::text {

enum class Use { kGenerate, kEmbed, kRerank, kTokens };

// "model" of the body: not empty. Errors: kInvalidArgument.
Result<std::string> ReadModel(Fields& fields);

// Errors: Manager::Pin's; kInvalidArgument "model_not_supported" on `model` where it does something else.
Result<std::shared_ptr<serving::LanguageModel>> Pin(const Services& services, const std::string& model, Use use);

}  // namespace atelier::api::text
