// A raw socket to a server under test: what is sent is what the test says, byte for byte.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace atelier::api::test {

struct Answer {
  int status = 0;  // 0: the connection closed without an answer
  std::string head;
  std::string body;

  std::string Header(const std::string& name) const {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) {
      return "";
    }
    const auto start = at + name.size() + 4;
    return head.substr(start, head.find("\r\n", start) - start);
  }
};

class Client {
 public:
  explicit Client(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;
      }
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  void FinishSending() { ::shutdown(socket_, SHUT_WR); }

  // Waits for more bytes; false when the connection is closed, or after the time.
  bool Fill(int timeout_ms = 5000) {
    pollfd descriptor{socket_, POLLIN, 0};
    char buffer[65536];
    if (::poll(&descriptor, 1, timeout_ms) <= 0) {
      return false;
    }
    const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got <= 0) {
      return false;
    }
    received_.append(buffer, static_cast<size_t>(got));
    return true;
  }
  bool Closed(int timeout_ms = 5000) {
    while (Fill(timeout_ms)) {
    }
    char byte = 0;
    return ::recv(socket_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

  // One answer with a Content-Length (or none, for HEAD and 1xx).
  Answer Read(bool head_only = false) {
    Answer answer;
    size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) {
        return answer;
      }
    }
    answer.head = received_.substr(0, end + 2);
    received_.erase(0, end + 4);
    answer.status = std::atoi(answer.head.c_str() + 9);
    const size_t length = head_only ? 0 : static_cast<size_t>(std::atoll(answer.Header("Content-Length").c_str()));
    while (received_.size() < length && Fill()) {
    }
    answer.body = received_.substr(0, length);
    received_.erase(0, answer.body.size());
    return answer;
  }
  // Until `text` has arrived, or nothing more comes.
  std::string ReadUntil(const std::string& text) {
    while (received_.find(text) == std::string::npos && Fill()) {
    }
    return received_;
  }

 private:
  int socket_;
  std::string received_;
};

}  // namespace atelier::api::test
