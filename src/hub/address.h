// Which network addresses the open internet has.
#pragma once

#include <sys/socket.h>

namespace atelier::hub {

// `address` is as long as its family says. False for what is loopback, private, link-local, shared, multicast, reserved
// or for documentation (RFC 6890 and the registries it founded), also where IPv4 is embedded in IPv6; false for
// families other than these.
bool IsPublicAddress(const sockaddr* address);

}  // namespace atelier::hub
