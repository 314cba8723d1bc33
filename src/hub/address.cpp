#include "hub/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace atelier::hub {
namespace {

struct Block4 {
  uint32_t network;
  int bits;
};
constexpr uint32_t Ip(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return a << 24U | b << 16U | c << 8U | d; }
constexpr std::array kNotPublic4{
    Block4{Ip(0, 0, 0, 0), 8},      Block4{Ip(10, 0, 0, 0), 8},     Block4{Ip(100, 64, 0, 0), 10},
    Block4{Ip(127, 0, 0, 0), 8},    Block4{Ip(169, 254, 0, 0), 16}, Block4{Ip(172, 16, 0, 0), 12},
    Block4{Ip(192, 0, 0, 0), 24},   Block4{Ip(192, 0, 2, 0), 24},   Block4{Ip(192, 88, 99, 0), 24},
    Block4{Ip(192, 168, 0, 0), 16}, Block4{Ip(198, 18, 0, 0), 15},  Block4{Ip(198, 51, 100, 0), 24},
    Block4{Ip(203, 0, 113, 0), 24}, Block4{Ip(224, 0, 0, 0), 3}};

bool IsPublic4(uint32_t address) {
  return std::ranges::none_of(kNotPublic4, [&](const Block4& block) {
    return (address >> (32 - block.bits)) == (block.network >> (32 - block.bits));
  });
}

bool IsPublic6(const std::array<uint8_t, 16>& bytes) {
  const auto word = [&](size_t at) { return Ip(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]); };
  const bool translated = word(0) == 0x0064FF9B && word(4) == 0 && word(8) == 0;  // 64:ff9b::/96
  const bool mapped = word(0) == 0 && word(4) == 0 && word(8) == 0xFFFF;          // ::ffff:0:0/96
  if (translated || mapped) {
    return IsPublic4(word(12));
  }
  if (word(0) >> 16U == 0x2002) {  // 6to4
    return IsPublic4(word(0) << 16U | word(4) >> 16U);
  }
  const bool teredo_and_others = word(0) >> 9U == (0x20010000U >> 9U);  // 2001::/23
  const bool documentation = word(0) == 0x20010DB8 || word(0) >> 12U == 0x3FFF0;
  const bool global_unicast = bytes[0] >> 5U == 1;  // 2000::/3
  return global_unicast && !teredo_and_others && !documentation;
}

}  // namespace

bool IsPublicAddress(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return IsPublic4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return IsPublic6(bytes);
  }
  return false;
}

}  // namespace atelier::hub
