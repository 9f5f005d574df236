// The walk over patterns, without any protocol: whom it finds, how many questions it takes, and that it always ends.
#include "libs/codec/scan_tree.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <random>

namespace voltwell::codec {
namespace {

using Address = std::vector<int>;

struct Found {
  std::vector<Address> meters;
  std::vector<Address> unresolved;
  size_t questions = 0;
  bool babbles = false;
};

bool Covers(const std::vector<int>& path, const Address& address) {
  return std::equal(path.begin(), path.end(), address.begin());
}

// `hear` may change what came; the control question is heard by nobody.
Found Walk(
    const ScanTreeShape& shape, const std::vector<Address>& line,
    const std::function<ScanHeard(ScanHeard)>& hear = [](ScanHeard heard) { return heard; }) {
  Found found;
  ScanTree tree;
  for (;;) {
    std::vector<Address> answering;
    if (!tree.control) {
      std::copy_if(line.begin(), line.end(), std::back_inserter(answering),
                   [&](const Address& address) { return Covers(tree.path, address); });
    }
    ScanHeard heard = ScanHeard::kNobody;
    if (answering.size() == 1) heard = ScanHeard::kOne;
    if (answering.size() > 1) heard = ScanHeard::kGarbled;
    heard = hear(heard);
    if (heard == ScanHeard::kOne && !answering.empty()) found.meters.push_back(answering[0]);
    ++found.questions;
    REQUIRE(found.questions < 2'000'000);
    REQUIRE(Fits(shape, tree));
    const ScanTreeTurn turn = NextOf(shape, tree, heard);
    found.unresolved.insert(found.unresolved.end(), turn.unresolved.begin(), turn.unresolved.end());
    if (turn.over) {
      found.babbles = turn.babbles;
      std::sort(found.meters.begin(), found.meters.end());
      return found;
    }
  }
}

ScanTreeShape Digits(int depth, int branches = 10) { return {.branches = std::vector<int>(depth, branches)}; }

std::vector<Address> RandomLine(std::mt19937& random, const ScanTreeShape& shape, size_t meters) {
  std::vector<Address> line;
  while (line.size() < meters) {
    Address address;
    for (const int branches : shape.branches) address.push_back(static_cast<int>(random() % branches));
    if (std::find(line.begin(), line.end(), address) == line.end()) line.push_back(address);
  }
  std::sort(line.begin(), line.end());
  return line;
}

}  // namespace

TEST_CASE("an empty line and a line with one meter take one question") {
  CHECK(Walk(Digits(8), {}).questions == 1);
  const Found one = Walk(Digits(8), {{1, 2, 3, 4, 5, 6, 7, 8}});
  CHECK(one.questions == 1);
  CHECK(one.meters.size() == 1);
}

TEST_CASE("meters whose addresses differ in the last digit only are told apart") {
  const Found found = Walk(Digits(8), {{1, 2, 3, 4, 5, 6, 7, 0}, {1, 2, 3, 4, 5, 6, 7, 9}});
  CHECK(found.meters.size() == 2);
  CHECK(found.unresolved.empty());
  // At each of eight collisions: ten children, two questions repeated, one control question.
  CHECK(found.questions == 1 + 8 * (10 + 3));
}

TEST_CASE("every meter of random lines is found, within its questions for each collision") {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    const ScanTreeShape shape = round % 2 == 0 ? Digits(8) : Digits(6, 100);
    const size_t meters = 1 + random() % 250;
    const std::vector<Address> line = RandomLine(random, shape, meters);
    const Found found = Walk(shape, line);
    CHECK(found.meters == line);
    CHECK(found.unresolved.empty());
    // A collision node holds at least two meters, so at one depth there are at most half as many as meters.
    const size_t per_node = static_cast<size_t>(shape.branches[0]) + 3;
    CHECK(found.questions <= 1 + per_node * (1 + meters * shape.branches.size() / 2));
  }
}

TEST_CASE("lines made against the search are found as well: long common beginnings, runs of numbers") {
  std::vector<Address> line;
  for (int tens = 0; tens < 10; ++tens) {
    for (int ones = 0; ones < 10; ++ones) line.push_back({9, 9, 9, 9, 9, 9, tens, ones});
  }
  CHECK(Walk(Digits(8), line).meters == line);
}

TEST_CASE("two meters with one address are told as unresolved, and the others are still found") {
  const Found found = Walk(Digits(3), {{0, 0, 1}, {0, 0, 1}, {9, 9, 9}});
  CHECK(found.meters == std::vector<Address>{{9, 9, 9}});
  CHECK(std::find(found.unresolved.begin(), found.unresolved.end(), Address{0, 0, 1}) != found.unresolved.end());
}

TEST_CASE("meters that answer only to the whole wildcard are told as unresolved at it") {
  ScanTree tree;
  const ScanTreeShape shape = Digits(6, 100);
  ScanTreeTurn turn;
  size_t questions = 0;
  for (; !turn.over; ++questions) {
    turn = NextOf(shape, tree, tree.path.empty() && !tree.control ? ScanHeard::kGarbled : ScanHeard::kNobody);
  }
  CHECK(turn.unresolved == std::vector<Address>{{}});
  CHECK(questions == 4 + 100);
}

TEST_CASE("noise of one answer in twenty costs questions and finds no less") {
  std::mt19937 random(3);
  const std::vector<Address> line = RandomLine(random, Digits(6, 100), 40);
  const Found clean = Walk(Digits(6, 100), line);
  const Found noisy =
      Walk(Digits(6, 100), line, [&](ScanHeard heard) { return random() % 20 == 0 ? ScanHeard::kGarbled : heard; });
  std::vector<Address> met = noisy.meters;
  met.erase(std::unique(met.begin(), met.end()), met.end());
  CHECK(met == line);
  CHECK(noisy.questions < 2 * clean.questions);
}

TEST_CASE("a line on which somebody always speaks is given up after ten control questions") {
  const Found found = Walk(Digits(6, 100), {}, [](ScanHeard) { return ScanHeard::kGarbled; });
  CHECK(found.babbles);
  CHECK(found.questions == kScanBabbledMax * (kScanGarbledCertain + 1));
}

TEST_CASE("lost answers are made up for by asking silence twice") {
  std::mt19937 random(5);
  ScanTreeShape shape = Digits(6, 100);
  const std::vector<Address> line = RandomLine(random, shape, 60);
  shape.asks_silence_twice = true;
  int lost = 0;
  const Found found = Walk(shape, line, [&](ScanHeard heard) {
    // Never two in a row.
    const bool drop = heard != ScanHeard::kNobody && lost == 0 && random() % 10 == 0;
    lost = drop ? 1 : 0;
    return drop ? ScanHeard::kNobody : heard;
  });
  CHECK(found.meters == line);
}

TEST_CASE("the root's spare child is asked only when its brothers were silent") {
  ScanTreeShape shape = {.branches = {3, 10}, .last_of_root_spare = true};
  // Child 2 is the spare one: here as good as the others.
  CHECK(Walk(shape, {{0, 1}, {1, 5}}).meters.size() == 2);
  CHECK(Walk(shape, {{0, 1}, {1, 5}}).questions == 4 + 2);
  CHECK(Walk(shape, {{2, 1}, {2, 5}}).meters.size() == 2);
}

TEST_CASE("the walk ends from every position and whatever is heard") {
  std::mt19937 random(11);
  const ScanTreeShape shape = Digits(3, 4);
  for (int round = 0; round < 2000; ++round) {
    ScanTree tree;
    for (size_t depth = random() % 4; depth > 0; --depth) {
      tree.path.push_back(static_cast<int>(random() % 4));
      tree.answering.push_back(static_cast<int>(random() % 9));
    }
    tree.garbled = static_cast<int>(random() % (kScanGarbledCertain + 1));
    tree.silences = static_cast<int>(random() % kScanSilenceCertain);
    tree.control = random() % 2 == 0;
    tree.babbled = static_cast<int>(random() % kScanBabbledMax);
    REQUIRE(Fits(shape, tree));
    size_t steps = 0;
    while (!NextOf(shape, tree, static_cast<ScanHeard>(random() % 4)).over) REQUIRE(++steps < 20'000);
  }
}

}  // namespace voltwell::codec
