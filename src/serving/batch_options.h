// How a worker forms batches.
#pragma once

namespace atelier::serving {

struct BatchOptions {
  int max_batch = 32;      // instances; 1: no batching
  int max_delay_us = 500;  // how long the first waiting instance waits for company while the model is idle; 0: not
  int max_queue = 1024;    // instances waiting; more are refused with kResourceExhausted "queue_full"

  bool operator==(const BatchOptions&) const = default;
};

}  // namespace atelier::serving
