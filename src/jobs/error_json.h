// An error as JSON, between the process and the gateway and in the catalogue:
// {"code":"invalid_argument","message":"...","reason":"...","param":"...","retry_after_s":1}; the last three may be
// absent.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"

namespace atelier::jobs {

boost::json::object ErrorToJson(const Error& error);
Error ErrorFromJson(const boost::json::object& object);  // an unknown code becomes kUnknown

}  // namespace atelier::jobs
