#include "engine/grammar/formats.h"

#include <algorithm>
#include <array>

namespace atelier::engine::grammar {
namespace {

// RFC 3339 section 5.6.
#define ATELIER_DATE                                                                                                                  \
  R"(((000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})-((0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31))" \
  R"(|\d\d(0[48]|[2468][048]|[13579][26])-02-29))"
#define ATELIER_TIME R"(([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d))"
// RFC 3986 appendix A.
#define ATELIER_PCHAR R"(([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}))"
#define ATELIER_PCHAR_NO_COLON R"(([A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2}))"
#define ATELIER_AUTHORITY                                 \
  R"((([A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?)" \
  R"((\[[0-9A-Fa-f:.]{2,45}\]|([A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(:[0-9]*)?)"
#define ATELIER_TAIL R"((\?()" ATELIER_PCHAR R"(|[/?])*)?(#()" ATELIER_PCHAR R"(|[/?])*)?)"
#define ATELIER_ABSOLUTE_PATH R"(/()" ATELIER_PCHAR "+(/" ATELIER_PCHAR "*)*)?"
#define ATELIER_HIERARCHY                                                                                       \
  "(//" ATELIER_AUTHORITY "(/" ATELIER_PCHAR "*)*|" ATELIER_ABSOLUTE_PATH "|" ATELIER_PCHAR "+(/" ATELIER_PCHAR \
  "*)*|"                                                                                                        \
  ")"
#define ATELIER_URI "[A-Za-z][A-Za-z0-9+.-]*:" ATELIER_HIERARCHY ATELIER_TAIL
#define ATELIER_RELATIVE                                                                             \
  "(//" ATELIER_AUTHORITY "(/" ATELIER_PCHAR "*)*|" ATELIER_ABSOLUTE_PATH "|" ATELIER_PCHAR_NO_COLON \
  "+(/" ATELIER_PCHAR "*)*|)" ATELIER_TAIL
// RFC 1123 section 2.1.
#define ATELIER_LABEL R"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)"
#define ATELIER_HOST ATELIER_LABEL R"((\.)" ATELIER_LABEL ")*"
#define ATELIER_OCTET R"((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))"
#define ATELIER_IPV4 ATELIER_OCTET R"((\.)" ATELIER_OCTET "){3}"
// RFC 3986's IPv6address.
#define ATELIER_H16 "[0-9A-Fa-f]{1,4}"
#define ATELIER_LS32 "(" ATELIER_H16 ":" ATELIER_H16 "|" ATELIER_IPV4 ")"
#define ATELIER_IPV6                                                                                                 \
  "((" ATELIER_H16 ":){6}" ATELIER_LS32 "|::(" ATELIER_H16 ":){5}" ATELIER_LS32 "|(" ATELIER_H16 ")?::(" ATELIER_H16 \
  ":){4}" ATELIER_LS32 "|((" ATELIER_H16 ":){0,1}" ATELIER_H16 ")?::(" ATELIER_H16 ":){3}" ATELIER_LS32              \
  "|((" ATELIER_H16 ":){0,2}" ATELIER_H16 ")?::(" ATELIER_H16 ":){2}" ATELIER_LS32 "|((" ATELIER_H16                 \
  ":){0,3}" ATELIER_H16 ")?::" ATELIER_H16 ":" ATELIER_LS32 "|((" ATELIER_H16 ":){0,4}" ATELIER_H16                  \
  ")?::" ATELIER_LS32 "|((" ATELIER_H16 ":){0,5}" ATELIER_H16 ")?::" ATELIER_H16 "|((" ATELIER_H16                   \
  ":){0,6}" ATELIER_H16 ")?::)"

struct Row {
  std::string_view name;
  std::string_view pattern;
};

constexpr std::array kFormats{
    Row{"date", ATELIER_DATE},
    Row{"time", ATELIER_TIME},
    Row{"date-time", ATELIER_DATE "[Tt]" ATELIER_TIME},
    // RFC 3339 appendix A.
    Row{"duration", R"(P(\d+W|(\d+D|\d+M(\d+D)?|\d+Y(\d+M(\d+D)?)?)(T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S))?|)"
                    R"(T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S)))"},
    // RFC 5321's Mailbox, without quoted local parts and comments.
    Row{"email", R"([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@)" ATELIER_HOST},
    Row{"hostname", ATELIER_HOST},
    Row{"host-name", ATELIER_HOST},
    Row{"ipv4", ATELIER_IPV4},
    Row{"ip-address", ATELIER_IPV4},
    Row{"ipv6", ATELIER_IPV6},
    Row{"uuid", "[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"},
    Row{"uri", ATELIER_URI},
    Row{"uri-reference", "(" ATELIER_URI "|" ATELIER_RELATIVE ")"},
    // RFC 6901.
    Row{"json-pointer", "(/([^/~]|~[01])*)*"},
    Row{"relative-json-pointer", "(0|[1-9][0-9]*)(#|(/([^/~]|~[01])*)*)"},
};

}  // namespace

std::optional<std::string_view> FormatPattern(std::string_view format) {
  const auto* const row =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const Row& candidate) { return candidate.name == format; });
  if (row == kFormats.end()) {
    return std::nullopt;
  }
  return row->pattern;
}

}  // namespace atelier::engine::grammar
