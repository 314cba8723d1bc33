# spec/openapi.yaml as a constant of the program that serves it.
set(openapi_header ${CMAKE_BINARY_DIR}/generated/openapi.h)
set(openapi_script ${CMAKE_BINARY_DIR}/generated/openapi_embed.cmake)
file(WRITE ${openapi_script} [[
file(READ ${INPUT} text)
# A string literal may have at most 65,536 bytes by the standard, so the text is cut into lines.
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n\"" text "${text}")
file(WRITE ${OUTPUT} "#pragma once\n\n#include <string_view>\n\ninline constexpr std::string_view kOpenApi =\n\"${text}\";\n")
]])
add_custom_command(OUTPUT ${openapi_header}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_SOURCE_DIR}/spec/openapi.yaml -DOUTPUT=${openapi_header} -P ${openapi_script}
  DEPENDS ${CMAKE_SOURCE_DIR}/spec/openapi.yaml VERBATIM)
add_custom_target(openapi_header DEPENDS ${openapi_header})
