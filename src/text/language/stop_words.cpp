#include "text/language/stop_words.h"

#include <algorithm>

#include "text/language/characters.h"

namespace atelier::text::language {
namespace {

constexpr std::string_view kEnglish =
    "i me my myself we our ours ourselves you you're you've you'll you'd your yours yourself yourselves he him his "
    "himself she she's her hers herself it it's its itself they them their theirs themselves what which who whom this "
    "that that'll these those am is are was were be been being have has had having do does did doing a an the and but "
    "if or because as until while of at by for with about against between into through during before after above "
    "below to from up down in out on off over under again further then once here there when where why how all any "
    "both each few more most other some such no nor not only own same so than too very s t can will just don don't "
    "should should've now d ll m o re ve y ain aren aren't couldn couldn't didn didn't doesn doesn't hadn hadn't hasn "
    "hasn't haven haven't isn isn't ma mightn mightn't mustn mustn't needn needn't shan shan't shouldn shouldn't wasn "
    "wasn't weren weren't won won't wouldn wouldn't he'd he'll he's i'd i'll i'm i've it'd it'll she'd she'll they'd "
    "they'll they're they've we'd we'll we're we've";

constexpr std::string_view kChinese =
    "的 地 得 了 着 过 之 者 所 们 我 你 您 他 她 它 咱 我们 你们 您们 他们 她们 它们 咱们 自己 自身 本身 人家 大家 "
    "别人 "
    "这 那 哪 这个 那个 哪个 这些 那些 哪些 这里 那里 哪里 这儿 那儿 哪儿 这样 那样 这么 那么 怎么 怎样 怎么样 什么 "
    "为什么 "
    "谁 几 多少 如何 何 某 某些 某个 每 每个 各 各个 各种 其 其他 其它 其中 其余 此 该 本 "
    "是 不是 有 没有 没 在 为 被 把 将 让 使 给 跟 对 对于 关于 至于 由 由于 从 自 自从 到 往 向 朝 于 以 用 按 按照 "
    "依 "
    "依照 根据 据 通过 经 经过 随 随着 沿 沿着 除 除了 除非 比 比如 例如 像 如 如同 似 似的 "
    "和 与 及 以及 或 或者 还是 并 并且 而 而且 但 但是 可是 不过 然而 却 因 因为 所以 因此 因而 于是 如果 假如 假使 "
    "倘若 "
    "若 要是 只要 只有 无论 不论 不管 虽 虽然 尽管 即使 哪怕 既 既然 以便 以免 免得 从而 进而 乃至 甚至 甚而 何况 况且 "
    "否则 不然 要么 不但 不仅 不只 不光 一方面 另一方面 另外 此外 同时 总之 即 即便 则 就是 也就是说 换句话说 "
    "不 别 非 未 莫 勿 很 太 最 更 更加 越 越来越 极 极其 非常 十分 相当 比较 较 挺 颇 稍 稍微 有点 有些 一些 一点 "
    "一下 "
    "都 全 也 又 再 还 就 才 只 仅 仅仅 便 已 已经 曾 曾经 正 正在 刚 刚刚 刚才 将要 就要 常 常常 经常 往往 总 总是 "
    "一直 "
    "仍 仍然 依然 渐 渐渐 忽然 突然 立刻 马上 终于 原来 本来 其实 当然 也许 或许 可能 大概 大约 恐怕 似乎 好像 果然 "
    "居然 "
    "竟然 简直 几乎 究竟 到底 难道 毕竟 反正 反而 尤其 特别 一定 必须 应 应该 应当 能 能够 可 可以 会 要 想 肯 敢 愿意 "
    "得以 "
    "上 下 里 内 外 中 前 后 间 之间 之前 之后 以前 以后 以上 以下 以内 以外 时 时候 的时候 当 当时 "
    "一 一个 一种 一样 一般 一切 一旦 一来 二来 个 些 第 等 等等 之类 一起 一边 一面 "
    "啊 呀 呢 吗 吧 啦 哇 哦 嗯 嘛 哈 呵 唉 哎 喂 嗨 哟 呗 罢了 而已 似乎 来 去 起 起来 下来 下去 出来 过来 过去";

std::vector<std::string> Words(std::string_view list) {
  const auto parts = SplitSpace(list);
  return {parts.begin(), parts.end()};
}

}  // namespace

StopWords::StopWords(const std::vector<std::string>& words) {
  for (const auto& word : words) {
    words_.insert(Lower(word));
  }
}

Result<StopWords> StopWords::Of(std::string_view language) {
  if (language == "en") {
    return StopWords(Words(kEnglish));
  }
  if (language == "zh") {
    return StopWords(Words(kChinese));
  }
  return InvalidArgument("there are stop words of en and zh only; give your own list for other languages", "language");
}

bool StopWords::Contains(std::string_view word) const { return words_.contains(Lower(word)); }

std::vector<std::string> StopWords::Without(const std::vector<std::string>& words) const {
  std::vector<std::string> kept;
  std::ranges::copy_if(words, std::back_inserter(kept), [&](const std::string& word) { return !Contains(word); });
  return kept;
}

}  // namespace atelier::text::language
