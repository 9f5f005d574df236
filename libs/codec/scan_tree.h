// Finding the meters of a line by patterns of their addresses: where several answer at once, the pattern is made longer
// by one digit (or byte), first to last. Knows no protocol: a pattern is the path of branches taken from the root.
// Pure: the caller asks what `path` says and tells what was heard.
//
// An answer that is garbled once may be a fault of the line, and one that is garbled always a babbler; either would
// make the walk visit the whole tree, for of a hundred children some are then garbled too. So a pattern must be garbled
// three times before it counts as a collision (one noise in ten questions then still makes a tenth of a child go
// deeper), and a control question, which no meter answers, must stay silent.
#pragma once

#include <vector>

namespace voltwell::codec {

// Times that a pattern is garbled before it counts.
inline constexpr int kScanGarbledCertain = 3;
// Silences that outweigh garbled answers, and those asked for where the line loses some.
inline constexpr int kScanSilenceCertain = 2;
// Control questions in a row that were answered: the line is no use.
inline constexpr int kScanBabbledMax = 10;

enum class ScanHeard {
  kNobody,   // Nothing came.
  kOne,      // One answer, and nothing else.
  kSeveral,  // Answers of different meters, each of them whole.
  kGarbled,  // Bytes that are not one answer.
};

struct ScanTreeShape {
  std::vector<int> branches = {};   // Children of a node, by its depth; a node without children is a whole address.
  bool last_of_root_spare = false;  // The root's last child repeats it, for when its brothers were all silent.
  bool asks_silence_twice = false;
};

// Where the walk stands; all of it is the caller's to keep.
struct ScanTree {
  std::vector<int> path = {};       // Branch taken at each depth; empty: the root.
  std::vector<int> answering = {};  // For each of them, meters among its brothers so far; several count as two.
  int garbled = 0;                  // Answers to this path.
  int silences = 0;                 // The same.
  bool control = false;             // The control question is asked, not `path`.
  int babbled = 0;
};

struct ScanTreeTurn {
  bool over = false;
  bool babbles = false;  // Over, because somebody speaks all the time.
  // Nodes at which several answer, but not one by one.
  std::vector<std::vector<int>> unresolved = {};
};

// Moves on by what was heard to the question that `tree` asked.
ScanTreeTurn NextOf(const ScanTreeShape& shape, ScanTree& tree, ScanHeard heard);

// Share of the tree that lies behind the walk, 0 to 1.
double ProgressOf(const ScanTreeShape& shape, const ScanTree& tree);

// Whether the walk can stand there; a kept state may come from anywhere.
bool Fits(const ScanTreeShape& shape, const ScanTree& tree);

}  // namespace voltwell::codec
