// The unit codes; see unit.h.
#include "libs/codec/cjt188/unit.h"

#include <array>
#include <iterator>

namespace voltwell::codec::cjt188 {
namespace {

constexpr Unit kUnits[] = {
    {0x01, "J", 0},   {0x02, "Wh", 0},   {0x03, "Wh", 1},   {0x04, "Wh", 2},   {0x05, "kWh", 0}, {0x06, "kWh", 1},
    {0x07, "kWh", 2}, {0x08, "MWh", 0},  {0x09, "MWh", 1},  {0x0A, "MWh", 2},  {0x0B, "kJ", 0},  {0x0C, "kJ", 1},
    {0x0D, "kJ", 2},  {0x0E, "MJ", 0},   {0x0F, "MJ", 1},   {0x10, "MJ", 2},   {0x11, "GJ", 0},  {0x12, "GJ", 1},
    {0x13, "GJ", 2},  {0x14, "W", 0},    {0x15, "W", 1},    {0x16, "W", 2},    {0x17, "kW", 0},  {0x18, "kW", 1},
    {0x19, "kW", 2},  {0x1A, "MW", 0},   {0x1B, "MW", 1},   {0x1C, "MW", 2},   {0x29, "L", 0},   {0x2A, "L", 1},
    {0x2B, "L", 2},   {0x2C, "m3", 0},   {0x2D, "m3", 1},   {0x2E, "m3", 2},   {0x32, "L/h", 0}, {0x33, "L/h", 1},
    {0x34, "L/h", 2}, {0x35, "m3/h", 0}, {0x36, "m3/h", 1}, {0x37, "m3/h", 2},
};

constexpr std::array<uint8_t, 256> MakeIndex() {
  std::array<uint8_t, 256> index = {};  // 0: none; else the row's number plus one.
  for (size_t i = 0; i < std::size(kUnits); ++i) index[kUnits[i].code] = static_cast<uint8_t>(i + 1);
  return index;
}
constexpr std::array<uint8_t, 256> kIndex = MakeIndex();

}  // namespace

const Unit* FindUnit(uint8_t code) { return kIndex[code] == 0 ? nullptr : &kUnits[kIndex[code] - 1]; }

}  // namespace voltwell::codec::cjt188
