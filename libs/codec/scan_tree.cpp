// The walk; see scan_tree.h.
#include "libs/codec/scan_tree.h"

#include <algorithm>

namespace voltwell::codec {
namespace {

void AskAnew(ScanTree& tree) {
  tree.garbled = 0;
  tree.silences = 0;
  tree.control = false;
}

void CountMeters(ScanTree& tree, int meters) {
  if (!tree.answering.empty()) tree.answering.back() += meters;
}

// To the next brother, or that of the nearest ancestor that has one.
void Advance(const ScanTreeShape& shape, ScanTree& tree, ScanTreeTurn& turn) {
  AskAnew(tree);
  while (!tree.path.empty()) {
    int last = shape.branches[tree.path.size() - 1] - 1;
    if (shape.last_of_root_spare && tree.path.size() == 1 && tree.answering.back() > 0) --last;
    if (tree.path.back() < last) {
      ++tree.path.back();
      return;
    }
    const int answered = tree.answering.back();
    tree.path.pop_back();
    tree.answering.pop_back();
    // Several spoke here: with fewer than two among the children somebody was not found.
    if (answered < 2) turn.unresolved.push_back(tree.path);
  }
  turn.over = true;
}

void Descend(const ScanTreeShape& shape, ScanTree& tree, ScanTreeTurn& turn) {
  CountMeters(tree, 2);
  if (tree.path.size() == shape.branches.size()) {
    turn.unresolved.push_back(tree.path);
    Advance(shape, tree, turn);
    return;
  }
  tree.path.push_back(0);
  tree.answering.push_back(0);
  AskAnew(tree);
}

void AfterControl(const ScanTreeShape& shape, ScanTree& tree, ScanHeard heard, ScanTreeTurn& turn) {
  if (heard == ScanHeard::kNobody) {
    tree.babbled = 0;
    Descend(shape, tree, turn);
    return;
  }
  if (++tree.babbled >= kScanBabbledMax) {
    turn.over = turn.babbles = true;
    return;
  }
  AskAnew(tree);
}

}  // namespace

ScanTreeTurn NextOf(const ScanTreeShape& shape, ScanTree& tree, ScanHeard heard) {
  ScanTreeTurn turn;
  if (tree.control) {
    AfterControl(shape, tree, heard, turn);
    return turn;
  }
  switch (heard) {
    case ScanHeard::kNobody: {
      // Silence after noise proves nothing yet.
      const bool doubtful = tree.garbled > 0 || shape.asks_silence_twice;
      if (++tree.silences >= (doubtful ? kScanSilenceCertain : 1)) Advance(shape, tree, turn);
      return turn;
    }
    case ScanHeard::kOne:
      CountMeters(tree, 1);
      Advance(shape, tree, turn);
      return turn;
    case ScanHeard::kSeveral:
      // Whole answers are no babble.
      if (tree.path.size() < shape.branches.size()) {
        Descend(shape, tree, turn);
      } else {
        CountMeters(tree, 2);
        Advance(shape, tree, turn);
      }
      return turn;
    case ScanHeard::kGarbled:
      tree.control = ++tree.garbled >= kScanGarbledCertain;
      return turn;
  }
  return turn;
}

double ProgressOf(const ScanTreeShape& shape, const ScanTree& tree) {
  double share = 0;
  double width = 1;
  for (size_t depth = 0; depth < tree.path.size(); ++depth) {
    width /= shape.branches[depth];
    share += width * tree.path[depth];
  }
  return share;
}

bool Fits(const ScanTreeShape& shape, const ScanTree& tree) {
  if (tree.path.size() > shape.branches.size() || tree.answering.size() != tree.path.size()) return false;
  for (size_t depth = 0; depth < tree.path.size(); ++depth) {
    const bool in = tree.path[depth] >= 0 && tree.path[depth] < shape.branches[depth] && tree.answering[depth] >= 0 &&
                    tree.answering[depth] <= 2 * shape.branches[depth];
    if (!in) return false;
  }
  return tree.garbled >= 0 && tree.garbled <= kScanGarbledCertain && tree.silences >= 0 &&
         tree.silences < kScanSilenceCertain && tree.babbled >= 0 && tree.babbled < kScanBabbledMax;
}

}  // namespace voltwell::codec
