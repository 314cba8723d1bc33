#include "machine.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace atelier::bench {
namespace {

constexpr size_t kBufferBytes = 768U << 20U;
constexpr size_t kLineBytes = 64;
constexpr size_t kStreams = 4;  // of each thread
constexpr size_t kDistances[] = {512, 2048, 8192};
constexpr int kPasses = 3;
constexpr int64_t kSteps = 10'000'000;  // of a peak's loop

// The seconds from when all threads begin with work(thread) until the last is done.
double Together(size_t threads, const std::function<void(size_t)>& work) {
  std::barrier begin(static_cast<std::ptrdiff_t>(threads + 1));
  std::vector<std::jthread> running;
  for (size_t thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      begin.arrive_and_wait();
      work(thread);
    });
  }
  const auto started = std::chrono::steady_clock::now();
  begin.arrive_and_wait();
  running.clear();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

// Reads whole lines of kStreams parts of [begin, begin + bytes) in turn; the sum keeps the compiler honest.
uint64_t ReadAll(const char* begin, size_t bytes, size_t distance) {
  using Half = uint64_t __attribute__((vector_size(32)));
  Half sum{};
  const size_t part = bytes / kStreams;
  for (size_t at = 0; at < part; at += kLineBytes) {
    for (size_t stream = 0; stream < kStreams; ++stream) {
      const char* line = begin + stream * part + at;
      __builtin_prefetch(line + distance, 0, 2);
      Half halves[2];
      std::memcpy(halves, line, sizeof halves);
      sum += halves[0] + halves[1];
    }
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

#if defined(__x86_64__)

using Loop = void (*)(int64_t steps);

__attribute__((target("avx2"))) void Avx2Loop(int64_t steps) {
  constexpr int kSums = 8;
  __m256i sums[kSums] = {};
  __m256i a = _mm256_set1_epi8(3);
  const __m256i b = _mm256_set1_epi8(5);
  const __m256i ones = _mm256_set1_epi16(1);
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 8
    for (auto& sum : sums) {
      asm volatile("" : "+x"(a));  // it may have changed: the product is computed again
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
    }
  }
  for (auto& sum : sums) {
    asm volatile("" : "+x"(sum));
  }
}

__attribute__((target("avx512f,avx512vnni"))) void VnniLoop(int64_t steps) {
  __m512i sums[8] = {};
  const __m512i a = _mm512_set1_epi8(3);
  const __m512i b = _mm512_set1_epi8(5);
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 8
    for (auto& sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, a, b);
      asm volatile("" : "+v"(sum));
    }
  }
}

struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t columns[16] = {64, 64, 64, 64, 64, 64, 64, 64};  // bytes of a row
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

void AmxLoop(int64_t steps) {
  const TileConfig config;
  asm volatile("ldtilecfg %0" ::"m"(config));
  asm volatile("tilezero %tmm4\n\ttilezero %tmm5\n\ttilezero %tmm6\n\ttilezero %tmm7");
  asm volatile("tilezero %tmm0\n\ttilezero %tmm1\n\ttilezero %tmm2\n\ttilezero %tmm3");
  for (int64_t i = 0; i < steps; ++i) {
    asm volatile(
        "tdpbssd %tmm6, %tmm4, %tmm0\n\ttdpbssd %tmm7, %tmm4, %tmm1\n\t"
        "tdpbssd %tmm6, %tmm5, %tmm2\n\ttdpbssd %tmm7, %tmm5, %tmm3");
  }
  asm volatile("tilerelease");
}

bool MayUseAmx() {
  constexpr unsigned kAmxTile = 1U << 24U;
  constexpr unsigned kAmxInt8 = 1U << 25U;
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kAmxTile) != 0 && (d & kAmxInt8) != 0 &&
         ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

IntegerPeak Measure(std::string_view name, Loop loop, int64_t operations_a_step, size_t threads) {
  // A tile's instruction takes as long as sixteen of the others.
  const int64_t steps = operations_a_step > 65536 ? kSteps / 16 : kSteps;
  double seconds = 1e9;
  for (int pass = 0; pass < kPasses; ++pass) {
    seconds = std::min(seconds, Together(threads, [&](size_t) { loop(steps); }));
  }
  return {name, static_cast<double>(operations_a_step * steps) * static_cast<double>(threads) / seconds};
}

#endif

}  // namespace

double ReadBandwidth(size_t threads, bool huge_pages) {
  void* memory = ::mmap(nullptr, kBufferBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return 0;
  }
  ::madvise(memory, kBufferBytes, huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  std::memset(memory, 1, kBufferBytes);
  const size_t slice = kBufferBytes / threads / (kLineBytes * kStreams) * (kLineBytes * kStreams);
  std::vector<uint64_t> sums(threads);
  double best = 0;
  for (const size_t distance : kDistances) {
    for (int pass = 0; pass < kPasses; ++pass) {
      const double seconds = Together(threads, [&](size_t thread) {
        sums[thread] += ReadAll(static_cast<const char*>(memory) + thread * slice, slice, distance);
      });
      best = std::max(best, static_cast<double>(slice * threads) / seconds);
    }
  }
  ::munmap(memory, kBufferBytes);
  return sums[0] == 0 ? 0 : best;  // the buffer has no zeros: always `best`
}

IntegerPeak MeasureIntegerPeak(size_t threads) {
#if defined(__x86_64__)
  if (MayUseAmx()) {
    return Measure("amx-int8", AmxLoop, int64_t{4} * 2 * 16 * 16 * 64, threads);
  }
  if (__builtin_cpu_supports("avx512vnni")) {
    return Measure("avx512-vnni", VnniLoop, int64_t{8} * 2 * 64, threads);
  }
  if (__builtin_cpu_supports("avx2")) {
    return Measure("avx2", Avx2Loop, int64_t{8} * 2 * 32, threads);
  }
#endif
  return {"none", 0.0 * static_cast<double>(threads)};
}

}  // namespace atelier::bench
