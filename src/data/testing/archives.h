// Archives and gzip files made in memory, for tests.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <string>
#include <vector>

namespace atelier::data::testing {

inline std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Item {
  std::string path;
  std::string bytes;
  int type = AE_IFREG;
  std::string link{};
};

enum class Kind { kTar, kTarGz, kTarXz, kZip, kEncryptedZip };

inline std::string Pack(Kind kind, const std::vector<Item>& items) {
  struct archive* a = archive_write_new();
  if (kind == Kind::kZip || kind == Kind::kEncryptedZip) {
    archive_write_set_format_zip(a);
    if (kind == Kind::kEncryptedZip) {
      archive_write_set_options(a, "zip:encryption=traditional");
      archive_write_set_passphrase(a, "secret");
    }
  } else {
    archive_write_set_format_pax_restricted(a);
  }
  if (kind == Kind::kTarGz) {
    archive_write_add_filter_gzip(a);
  } else if (kind == Kind::kTarXz) {
    archive_write_add_filter_xz(a);
  }
  size_t total = 65536;
  for (const auto& item : items) {
    total += item.bytes.size() * 2 + 4096;
  }
  std::string out(total, '\0');
  size_t used = 0;
  archive_write_open_memory(a, out.data(), out.size(), &used);
  for (const auto& item : items) {
    struct archive_entry* entry = archive_entry_new();
    archive_entry_update_pathname_utf8(entry, item.path.c_str());
    archive_entry_copy_pathname(entry, item.path.c_str());
    archive_entry_set_filetype(entry, static_cast<unsigned>(item.type));
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<int64_t>(item.bytes.size()));
    if (item.type == AE_IFLNK) {
      archive_entry_set_symlink(entry, item.link.c_str());
    } else if (!item.link.empty()) {
      archive_entry_set_hardlink(entry, item.link.c_str());
    }
    archive_write_header(a, entry);
    archive_write_data(a, item.bytes.data(), item.bytes.size());
    archive_entry_free(entry);
  }
  archive_write_close(a);
  archive_write_free(a);
  out.resize(used);
  return out;
}

}  // namespace atelier::data::testing
