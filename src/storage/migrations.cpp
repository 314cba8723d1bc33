#include "storage/migrations.h"

#include <map>

namespace atelier::storage {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

using Versions = std::map<std::string, int, std::less<>>;

// The newest version of each module; an error where a module's versions do not count up from 1.
Result<Versions> Newest(std::span<const Migration> migrations) {
  Versions newest;
  for (const auto& step : migrations) {
    int& version = newest[std::string(step.module)];
    if (step.version != version + 1) {
      return Internal("the migrations of '" + std::string(step.module) + "' do not count up from 1 without holes");
    }
    version = step.version;
  }
  return newest;
}

Versions Applied(soci::session& session) {
  Versions applied;
  std::string module;
  int version = 0;
  soci::statement query = (session.prepare << "SELECT module, MAX(version) FROM schema_migrations GROUP BY module",
                           soci::into(module), soci::into(version));
  query.execute();
  while (query.fetch()) {
    applied[module] = version;
  }
  return applied;
}

void Apply(soci::session& session, const Migration& step) {
  for (const auto& statement : SplitStatements(step.sql)) {
    session << statement;
  }
  const std::string module(step.module);
  session << "INSERT INTO schema_migrations (module, version) VALUES (:module, :version)", soci::use(module, "module"),
      soci::use(step.version, "version");
}

}  // namespace

std::vector<std::string> SplitStatements(std::string_view sql) {
  std::vector<std::string> statements;
  std::string current;
  while (!sql.empty()) {
    const size_t end = sql.find('\n');
    const std::string_view line = sql.substr(0, end);
    sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
    const std::string_view content = Trim(line);
    if (content.empty() || content.starts_with("--")) {
      continue;
    }
    current.append(line).append("\n");
    if (content.ends_with(';')) {
      statements.emplace_back(Trim(current));
      statements.back().pop_back();
      current.clear();
    }
  }
  if (!current.empty()) {
    statements.emplace_back(Trim(current));
  }
  return statements;
}

Status ApplyMigrations(soci::session& session, std::span<const Migration> migrations) {
  ATELIER_ASSIGN(newest, Newest(migrations));
  session << "CREATE TABLE IF NOT EXISTS schema_migrations ("
             "module TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (module, version))";
  const Versions applied = Applied(session);
  for (const auto& [module, version] : applied) {
    const auto known = newest.find(module);
    if (known == newest.end() || known->second < version) {
      return FailedPrecondition("the catalogue was written by a newer version of this program (its '" + module +
                                    "' schema is version " + std::to_string(version) +
                                    "); start that version, or restore a backup made by this one",
                                "schema_too_new");
    }
  }
  for (const auto& step : migrations) {
    const auto found = applied.find(step.module);
    if (found == applied.end() || found->second < step.version) {
      Apply(session, step);
    }
  }
  return {};
}

}  // namespace atelier::storage
