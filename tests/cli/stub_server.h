// A small server that answers from a script and keeps what it was sent.
#pragma once

#include <atomic>
#include <boost/asio.hpp>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "atelier/cli/api.h"

namespace atelier::cli {

struct Seen {
  std::string head;
  std::string body;
};

inline std::string Answer(int status, const std::string& body, const std::string& type = "application/json") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

// Answers each connection's single request by `handle`; an answer "" closes without one.
class StubServer {
 public:
  explicit StubServer(std::function<std::string(const Seen&)> handle)
      : handle_(std::move(handle)),
        acceptor_(context_, boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0)),
        port_(acceptor_.local_endpoint().port()),
        thread_([this] { Serve(); }) {}
  ~StubServer() {
    stopping_ = true;
    boost::asio::ip::tcp::socket wake(context_);
    boost::system::error_code ignored;
    wake.connect(boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), port_), ignored);
    thread_.join();
  }

  Api Client() const {
    HttpOptions options;
    options.url = *ParseUrl("http://127.0.0.1:" + std::to_string(port_));
    options.key = "sk-test";
    return Api(Http(options));
  }
  const std::vector<Seen>& seen() const { return seen_; }

 private:
  void Serve() {
    while (true) {
      boost::system::error_code ec;
      boost::asio::ip::tcp::socket socket(context_);
      acceptor_.accept(socket, ec);
      if (ec || stopping_) {
        return;
      }
      Seen seen;
      std::string data;
      const size_t end = boost::asio::read_until(socket, boost::asio::dynamic_buffer(data), "\r\n\r\n", ec);
      seen.head = data.substr(0, end);
      seen.body = data.substr(end);
      const size_t at = seen.head.find("Content-Length: ");
      const size_t length = at == std::string::npos ? 0 : std::stoul(seen.head.substr(at + 16));
      if (seen.body.size() < length) {
        boost::asio::read(socket, boost::asio::dynamic_buffer(seen.body),
                          boost::asio::transfer_exactly(length - seen.body.size()), ec);
      }
      seen_.push_back(seen);
      const std::string answer = handle_(seen);
      boost::asio::write(socket, boost::asio::buffer(answer), ec);
      socket.shutdown(boost::asio::ip::tcp::socket::shutdown_both, ec);
    }
  }

  std::function<std::string(const Seen&)> handle_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  uint16_t port_;
  std::atomic<bool> stopping_{false};
  std::vector<Seen> seen_;
  std::thread thread_;
};

inline std::string Line(const Seen& seen) { return seen.head.substr(0, seen.head.find(" HTTP/")); }

}  // namespace atelier::cli
