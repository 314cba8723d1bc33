// What Punkt knows of English before it has learned anything.
#include "text/language/punkt.h"

namespace atelier::text::language {
namespace {

// Titles, ranks, months, places, firms, measures and what books abbreviate. Words that are often words themselves
// ("sat", "sun", "no", "art", "mass") are left out.
constexpr std::string_view kAbbreviations =
    "mr mrs ms dr prof rev hon messrs mme mlle mt st jr sr esq bros "
    "gen col lt sgt maj capt cmdr cpl pvt adm brig gov sen sens rep reps pres supt atty insp det "
    "jan feb apr aug sep sept oct nov dec mon tue tues wed thu thur thurs fri "
    "ala ariz ark calif colo conn fla ga ill ind kan ky la md mich minn mont neb nev okla ore pa penn tenn tex "
    "va vt wis wyo u.s u.s.a u.k u.n u.s.s.r d.c n.y n.j n.c s.c n.h n.m n.d s.d r.i w.va l.a e.u "
    "a.m p.m a.d b.c c.e b.c.e i.e e.g vs v viz cf ca approx et etc al ibid op cit "
    "inc ltd co corp cos cie assn dept univ inst div mfg bldg est "
    "ave blvd rd hwy ft sq pl vol vols pp p ch chap ed eds fig figs sec nos para fn trans ser "
    "oz lb lbs mph rpm hr hrs min mg kg km cm mm cc yd yds qt qts pt pts gal doz wt temp "
    "ph.d m.d b.a m.a b.s m.s j.d d.d.s ll.b ll.d b.sc m.sc r.n c.p.a d.d m.b.a q.v n.b p.s r.s.v.p "
    "s.p.a s.a n.v g.m.b.h a.g b.v a.k.a c.o.d f.o.b h.p i.q g.i o.k p.o t.v u.n.c "
    "e.t.a f.b.i c.i.a n.a.t.o g.o.p a.f.l c.i.o j.p j.r b.f d.w m.j e.l e.h f.g g.k h.c h.m k.o l.p r.j r.k r.t "
    "adj adv prep govt intl natl assoc admin asst exec mgr sci tech";

// Written in lower case within sentences: with a capital, they begin one.
constexpr std::string_view kLowerWords =
    "a about above according across actually after afterwards again against all almost along already also although "
    "always among an and another any anyone anything apparently are around as aside at away back because before behind "
    "being below beneath beside besides between beyond both but by can certainly clearly consequently could currently "
    "despite did do does during each earlier either enough even eventually every everybody everyone everything "
    "exactly except few finally first for fortunately from further furthermore generally given had has have he hence "
    "her here hers high him his how however if immediately in including indeed inside instead into is it its itself "
    "just last later lastly latest least less like likewise little many maybe me meanwhile men might mine more "
    "moreover "
    "most much must my nearly neither never nevertheless new next no nobody none nor not nothing notwithstanding now "
    "obviously occasionally of off often on once one only or ordinarily originally other others otherwise our ours out "
    "outside over overall part people perhaps possibly presumably previously probably quite rather recently several "
    "she "
    "should similarly since so some somebody somehow someone something sometimes soon still such suddenly than "
    "that the their theirs them then there thereafter therefore these they think this those though three through "
    "throughout thus to today together tomorrow tonight too toward towards two under unfortunately unless unlike until "
    "up upon us usually very was we well were what whatever when whenever where whereas wherever whether which while "
    "who whoever whole whom whose why will with within without women would yesterday yet you your yours";

// Begin a sentence even after an abbreviation.
constexpr std::string_view kStarters =
    "the this that these those there he she it we they but and so if in at on as when while after although however "
    "what who how why where most many some i his her their its our my a an for not no yes one to";

}  // namespace

PunktParameters EnglishPunkt() {
  PunktParameters parameters;
  for (const auto word : SplitSpace(kAbbreviations)) {
    parameters.abbreviations.emplace(word);
  }
  for (const auto word : SplitSpace(kLowerWords)) {
    parameters.orthography.emplace(word, kBeginUpper | kMiddleLower);
  }
  for (const auto word : SplitSpace(kStarters)) {
    parameters.starters.emplace(word);
  }
  return parameters;
}

}  // namespace atelier::text::language
