#include "families/sequence/recurrent.h"

#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <vector>

namespace atelier::families {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The shape of a run, and how it goes through time.
struct Run {
  int64_t steps = 0;
  int64_t batch = 0;
  int64_t hidden = 0;
  bool backwards = false;
  const int64_t* lengths = nullptr;

  int64_t Step(int64_t i) const { return backwards ? steps - 1 - i : i; }  // the i-th that is computed
  // Backwards a sequence begins at its own end: before that its state stays zero.
  bool Idle(int64_t step, int64_t row) const { return backwards && step >= lengths[row]; }
  int64_t size() const { return batch * hidden; }
};

// Everything of a run that its gradient needs, [steps, batch, ...]: `gates` as they came out of their functions.
struct Trace {
  torch::Tensor gates{};     // [steps * batch, gates * hidden]
  torch::Tensor states{};    // [steps, batch, hidden]
  torch::Tensor cells{};     // lstm
  torch::Tensor squashed{};  // lstm: tanh of the cells
  torch::Tensor inner{};     // gru: what the state gives the new gate, before it is reset
};

float* At(const torch::Tensor& tensor, int64_t step) { return tensor.data_ptr<float>() + step * tensor.stride(0); }

void Clear(const Run& run, int64_t step, float* rows, int64_t width) {
  for (int64_t row = 0; row < run.batch; ++row) {
    if (run.Idle(step, row)) {
      std::fill_n(rows + row * width, width, 0.0F);
    }
  }
}

void LstmStep(const Run& run, const Trace& trace, int64_t step, const float* cells_before) {
  const int64_t h = run.hidden;
  auto gates = trace.gates.view({run.steps, run.batch, 4 * h})[step];
  gates.narrow(1, 0, 2 * h).sigmoid_();
  gates.narrow(1, 2 * h, h).tanh_();
  gates.narrow(1, 3 * h, h).sigmoid_();
  const float* gate = gates.data_ptr<float>();
  float* cells = At(trace.cells, step);
  for (int64_t row = 0; row < run.batch; ++row, gate += 4 * h) {
    for (int64_t j = 0; j < h; ++j) {
      const float before = cells_before == nullptr ? 0.0F : cells_before[row * h + j];
      cells[row * h + j] = gate[h + j] * before + gate[j] * gate[2 * h + j];
    }
  }
  Clear(run, step, cells, h);
  auto squashed = trace.squashed[step];
  at::tanh_out(squashed, trace.cells[step]);
  gate = gates.data_ptr<float>();
  const float* squash = squashed.data_ptr<float>();
  float* states = At(trace.states, step);
  for (int64_t row = 0; row < run.batch; ++row, gate += 4 * h) {
    for (int64_t j = 0; j < h; ++j) {
      states[row * h + j] = gate[3 * h + j] * squash[row * h + j];
    }
  }
}

// `before`: the state, or null. The gates of the input are in place already; those of the state are added here.
void GruStep(const Run& run, const Trace& trace, int64_t step, const torch::Tensor& from_state, const float* before) {
  const int64_t h = run.hidden;
  auto gates = trace.gates.view({run.steps, run.batch, 3 * h})[step];
  gates.narrow(1, 0, 2 * h).add_(from_state.narrow(1, 0, 2 * h)).sigmoid_();
  float* inner = At(trace.inner, step);
  float* gate = gates.data_ptr<float>();
  const float* state = from_state.data_ptr<float>();
  for (int64_t row = 0; row < run.batch; ++row, gate += 3 * h, state += 3 * h) {
    for (int64_t j = 0; j < h; ++j) {
      inner[row * h + j] = state[2 * h + j];
      gate[2 * h + j] += gate[j] * state[2 * h + j];
    }
  }
  gates.narrow(1, 2 * h, h).tanh_();
  gate = gates.data_ptr<float>();
  float* states = At(trace.states, step);
  for (int64_t row = 0; row < run.batch; ++row, gate += 3 * h) {
    for (int64_t j = 0; j < h; ++j) {
      const float old = before == nullptr ? 0.0F : before[row * h + j];
      states[row * h + j] = gate[2 * h + j] + gate[h + j] * (old - gate[2 * h + j]);
    }
  }
}

Trace Compute(Cell cell, const Run& run, const RecurrentWeights& weights, const torch::Tensor& x) {
  const int64_t width = GatesOf(cell) * run.hidden;
  const auto options = x.options();
  Trace trace;
  // What the inputs give all gates of all steps, in one product.
  const auto bias = cell == Cell::kGru ? weights.input_bias : weights.input_bias + weights.state_bias;
  trace.gates = torch::empty({run.steps * run.batch, width}, options);
  at::addmm_out(trace.gates, bias, x.reshape({run.steps * run.batch, x.size(2)}), weights.input.t());
  const std::vector<int64_t> shape{run.steps, run.batch, run.hidden};
  trace.states = torch::empty(shape, options);
  if (cell == Cell::kLstm) {
    trace.cells = torch::empty(shape, options);
    trace.squashed = torch::empty(shape, options);
  } else if (cell == Cell::kGru) {
    trace.inner = torch::empty(shape, options);
  }
  const auto across = weights.state.t();
  auto from_state = torch::zeros({run.batch, width}, options);
  for (int64_t i = 0; i < run.steps; ++i) {
    const int64_t step = run.Step(i);
    const int64_t before = i == 0 ? -1 : run.Step(i - 1);
    auto gates = trace.gates.narrow(0, step * run.batch, run.batch);
    if (cell == Cell::kGru) {
      if (before < 0) {
        from_state.copy_(weights.state_bias.expand_as(from_state));
      } else {
        at::addmm_out(from_state, weights.state_bias, trace.states[before], across);
      }
      GruStep(run, trace, step, from_state, before < 0 ? nullptr : At(trace.states, before));
    } else {
      if (before >= 0) {
        gates.addmm_(trace.states[before], across);
      }
      if (cell == Cell::kLstm) {
        LstmStep(run, trace, step, before < 0 ? nullptr : At(trace.cells, before));
      } else {
        auto state = trace.states[step];
        at::tanh_out(state, gates);
      }
    }
    Clear(run, step, At(trace.states, step), run.hidden);
  }
  return trace;
}

// One step of the way back, [batch, ...] each.
struct StepBack {
  int64_t step = 0;
  const float* before = nullptr;  // lstm: the cell before; gru: the state; null at the first step
  const float* dh = nullptr;      // gradient of the state
  float* held = nullptr;          // lstm: of the cell, in and out; gru: of the state before, past the gates, out
  float* gates = nullptr;         // of the gates, out
  float* state_gates = nullptr;   // gru: of what the state gives them, out
};

void LstmGradient(const Run& run, const Trace& trace, const StepBack& back) {
  const int64_t h = run.hidden;
  const float* gate = trace.gates.data_ptr<float>() + back.step * run.batch * 4 * h;
  const float* squashed = At(trace.squashed, back.step);
  const float* dh = back.dh;
  float* out = back.gates;
  for (int64_t row = 0; row < run.batch; ++row, gate += 4 * h, out += 4 * h) {
    for (int64_t j = 0; j < h; ++j) {
      const int64_t at = row * h + j;
      const float in = gate[j];
      const float forget = gate[h + j];
      const float fresh = gate[2 * h + j];
      const float open = gate[3 * h + j];
      const float before = back.before == nullptr ? 0.0F : back.before[at];
      const float dc = back.held[at] + dh[at] * open * (1 - squashed[at] * squashed[at]);
      out[j] = dc * fresh * in * (1 - in);
      out[h + j] = dc * before * forget * (1 - forget);
      out[2 * h + j] = dc * in * (1 - fresh * fresh);
      out[3 * h + j] = dh[at] * squashed[at] * open * (1 - open);
      back.held[at] = dc * forget;
    }
  }
}

void GruGradient(const Run& run, const Trace& trace, const StepBack& back) {
  const int64_t h = run.hidden;
  const float* gate = trace.gates.data_ptr<float>() + back.step * run.batch * 3 * h;
  const float* inner = At(trace.inner, back.step);
  const float* dh = back.dh;
  float* out = back.gates;
  float* state_out = back.state_gates;
  for (int64_t row = 0; row < run.batch; ++row, gate += 3 * h, out += 3 * h, state_out += 3 * h) {
    for (int64_t j = 0; j < h; ++j) {
      const int64_t at = row * h + j;
      const float reset = gate[j];
      const float keep = gate[h + j];
      const float fresh = gate[2 * h + j];
      const float old = back.before == nullptr ? 0.0F : back.before[at];
      const float dn = dh[at] * (1 - keep) * (1 - fresh * fresh);
      out[j] = dn * inner[at] * reset * (1 - reset);
      out[h + j] = dh[at] * (old - fresh) * keep * (1 - keep);
      out[2 * h + j] = dn;
      state_out[j] = out[j];
      state_out[h + j] = out[h + j];
      state_out[2 * h + j] = dn * reset;
      back.held[at] = dh[at] * keep;
    }
  }
}

struct Gradients {
  torch::Tensor input_gates{};  // [steps * batch, gates * hidden]
  torch::Tensor state_gates{};  // the same, but of a gru
};

Gradients Backtrack(Cell cell, const Run& run, const Trace& trace, const torch::Tensor& state_weights,
                    const torch::Tensor& gradient) {
  const int64_t width = GatesOf(cell) * run.hidden;
  Gradients out;
  out.input_gates = torch::empty({run.steps * run.batch, width}, gradient.options());
  out.state_gates = cell == Cell::kGru ? torch::empty_like(out.input_gates) : out.input_gates;
  auto dh = torch::empty({run.batch, run.hidden}, gradient.options());
  auto later = torch::zeros({run.batch, run.hidden}, gradient.options());  // of the state, from the step after
  auto held = torch::zeros({run.batch, run.hidden}, gradient.options());   // lstm: of the cell; gru: past the gates
  for (int64_t i = run.steps - 1; i >= 0; --i) {
    const int64_t step = run.Step(i);
    const int64_t before = i == 0 ? -1 : run.Step(i - 1);
    at::add_out(dh, gradient[step], later);
    Clear(run, step, dh.data_ptr<float>(), run.hidden);
    auto state_gates = out.state_gates.narrow(0, step * run.batch, run.batch);
    StepBack back{.step = step,
                  .dh = dh.data_ptr<float>(),
                  .held = held.data_ptr<float>(),
                  .gates = out.input_gates.data_ptr<float>() + step * run.batch * width,
                  .state_gates = state_gates.data_ptr<float>()};
    if (cell == Cell::kLstm) {
      Clear(run, step, back.held, run.hidden);
      back.before = before < 0 ? nullptr : At(trace.cells, before);
      LstmGradient(run, trace, back);
    } else if (cell == Cell::kGru) {
      back.before = before < 0 ? nullptr : At(trace.states, before);
      GruGradient(run, trace, back);
    } else {
      const float* state = At(trace.states, step);
      for (int64_t j = 0; j < run.size(); ++j) {
        back.gates[j] = back.dh[j] * (1 - state[j] * state[j]);
      }
    }
    at::mm_out(later, state_gates, state_weights);
    if (cell == Cell::kGru) {
      later.add_(held);
    }
  }
  return out;
}

// The state before each step, zero where there is none.
torch::Tensor Shifted(const Run& run, const torch::Tensor& states) {
  auto out = torch::zeros_like(states);
  if (run.steps > 1) {
    const int64_t to = run.backwards ? 0 : 1;
    out.narrow(0, to, run.steps - 1).copy_(states.narrow(0, 1 - to, run.steps - 1));
  }
  return out;
}

struct RunOptions {
  Cell cell = Cell::kLstm;
  bool backwards = false;
  torch::Tensor lengths{};
};

// One node of the graph for the whole run. Weights are [gates * hidden, in + hidden], biases of input and state one
// after the other.
class RecurrentRun : public torch::autograd::Function<RecurrentRun> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weights,
                               const torch::Tensor& biases, const RunOptions& options) {
    const Run run = RunOf(x, weights, options.lengths, options.backwards);
    const Trace trace = Compute(options.cell, run, Parts(run, weights, biases), x);
    context->save_for_backward(
        {x, weights, options.lengths, trace.gates, trace.states, trace.cells, trace.squashed, trace.inner});
    context->saved_data["cell"] = static_cast<int64_t>(options.cell);
    context->saved_data["backwards"] = options.backwards;
    return trace.states;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto& x = saved[0];
    const auto cell = static_cast<Cell>(context->saved_data["cell"].toInt());
    const Run run = RunOf(x, saved[1], saved[2], context->saved_data["backwards"].toBool());
    const Trace trace{
        .gates = saved[3], .states = saved[4], .cells = saved[5], .squashed = saved[6], .inner = saved[7]};
    const auto parts = Parts(run, saved[1], {});
    const auto out = Backtrack(cell, run, trace, parts.state, gradients[0].contiguous());
    const auto flat = x.reshape({run.steps * run.batch, x.size(2)});
    const auto before = Shifted(run, trace.states).view({run.steps * run.batch, run.hidden});
    const auto input_bias = out.input_gates.sum(0);
    const auto state_bias = cell == Cell::kGru ? out.state_gates.sum(0) : input_bias;
    return {torch::mm(out.input_gates, parts.input).view(x.sizes()),
            torch::cat({torch::mm(out.input_gates.t(), flat), torch::mm(out.state_gates.t(), before)}, 1),
            torch::cat({input_bias, state_bias}),
            {}};
  }

 private:
  static Run RunOf(const torch::Tensor& x, const torch::Tensor& weights, const torch::Tensor& lengths, bool backwards) {
    return {.steps = x.size(0),
            .batch = x.size(1),
            .hidden = weights.size(1) - x.size(2),
            .backwards = backwards,
            .lengths = lengths.data_ptr<int64_t>()};
  }

  static RecurrentWeights Parts(const Run& run, const torch::Tensor& weights, const torch::Tensor& biases) {
    const int64_t in = weights.size(1) - run.hidden;
    RecurrentWeights parts{.input = weights.narrow(1, 0, in), .state = weights.narrow(1, in, run.hidden).contiguous()};
    if (biases.defined()) {
      parts.input_bias = biases.narrow(0, 0, weights.size(0));
      parts.state_bias = biases.narrow(0, weights.size(0), weights.size(0));
    }
    return parts;
  }
};

}  // namespace

Cell CellFromName(const std::string& family) {
  return family == "gru" ? Cell::kGru : (family == "rnn" ? Cell::kRnn : Cell::kLstm);
}

int64_t GatesOf(Cell cell) { return cell == Cell::kLstm ? 4 : (cell == Cell::kGru ? 3 : 1); }

torch::Tensor Recur(Cell cell, const RecurrentWeights& weights, const torch::Tensor& x, const torch::Tensor& lengths,
                    bool backwards) {
  // Steps are too small for bfloat16 to be worth its conversions.
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  const auto input = x.to(torch::kFloat32).contiguous();
  return RecurrentRun::apply(input, torch::cat({weights.input, weights.state}, 1),
                             torch::cat({weights.input_bias, weights.state_bias}),
                             RunOptions{.cell = cell, .backwards = backwards, .lengths = lengths.contiguous()});
}

}  // namespace atelier::families
