// What the bits of status words and mode words say.
#pragma once

#include "libs/codec/dlt645/field.h"

namespace voltwell::codec::dlt645 {

// Run status words 1 to 3 and 7 (04000501, 02, 03, 07); kPhaseWordBits is 4, 5, 6 for phases A, B, C.
inline constexpr BitName kWord1Bits[] = {
    {1, 1, 0, "需量积算方式：滑差", "demand by sliding interval"},
    {1, 1, 1, "需量积算方式：区间", "demand by fixed interval"},
    {2, 1, 1, "时钟电池欠压", "clock battery low"},
    {3, 1, 1, "停电抄表电池欠压", "backup battery low"},
    {4, 1, 1, "有功功率反向", "active power reversed"},
    {5, 1, 1, "无功功率反向", "reactive power reversed"},
};
inline constexpr BitName kWord2Bits[] = {
    {0, 1, 1, "A相有功功率反向", "active power reversed, phase A"},
    {1, 1, 1, "B相有功功率反向", "active power reversed, phase B"},
    {2, 1, 1, "C相有功功率反向", "active power reversed, phase C"},
    {4, 1, 1, "A相无功功率反向", "reactive power reversed, phase A"},
    {5, 1, 1, "B相无功功率反向", "reactive power reversed, phase B"},
    {6, 1, 1, "C相无功功率反向", "reactive power reversed, phase C"},
};
inline constexpr BitName kWord3Bits[] = {
    {0, 1, 0, "第一套时段表运行", "day tables of set 1 in use"},
    {0, 1, 1, "第二套时段表运行", "day tables of set 2 in use"},
    {1, 2, 0, "主电源供电", "main supply"},
    {1, 2, 1, "辅助电源供电", "auxiliary supply"},
    {1, 2, 2, "电池供电", "battery supply"},
    {3, 1, 1, "编程允许", "programming allowed"},
    {4, 1, 0, "继电器合闸（通）", "relay closed"},
    {4, 1, 1, "继电器拉闸（断）", "relay open"},
    {5, 1, 0, "第一套时区表运行", "year zones of set 1 in use"},
    {5, 1, 1, "第二套时区表运行", "year zones of set 2 in use"},
    {6, 1, 0, "继电器命令：合闸", "relay commanded to close"},
    {6, 1, 1, "继电器命令：拉闸", "relay commanded to open"},
    {7, 1, 1, "预跳闸报警", "pre-trip alarm"},
    {8, 2, 0, "非预付费表", "not a prepaid meter"},
    {8, 2, 1, "电量型预付费表", "prepaid meter for energy"},
    {8, 2, 2, "电费型预付费表", "prepaid meter for money"},
    {10, 1, 0, "第一套费率电价运行", "tariff prices of set 1 in use"},
    {10, 1, 1, "第二套费率电价运行", "tariff prices of set 2 in use"},
    {11, 1, 0, "第一套阶梯运行", "steps of set 1 in use"},
    {11, 1, 1, "第二套阶梯运行", "steps of set 2 in use"},
    {12, 1, 1, "保电", "power is kept"},
    {13, 1, 1, "身份认证有效", "authentication valid"},
    {14, 1, 1, "本地未开户", "no local account opened"},
    {15, 1, 1, "远程未开户", "no remote account opened"},
};
inline constexpr BitName kPhaseWordBits[] = {
    {0, 1, 1, "失压", "loss of voltage"},
    {1, 1, 1, "欠压", "under-voltage"},
    {2, 1, 1, "过压", "over-voltage"},
    {3, 1, 1, "失流", "loss of current"},
    {4, 1, 1, "过流", "over-current"},
    {5, 1, 1, "过载", "overload"},
    {6, 1, 1, "潮流反向", "power flow reversed"},
    {7, 1, 1, "断相", "phase failure"},
    {8, 1, 1, "断流", "broken current"},
};
inline constexpr BitName kWord7Bits[] = {
    {0, 1, 1, "电压逆相序", "voltage reverse sequence"},
    {1, 1, 1, "电流逆相序", "current reverse sequence"},
    {2, 1, 1, "电压不平衡", "voltage unbalance"},
    {3, 1, 1, "电流不平衡", "current unbalance"},
    {4, 1, 1, "辅助电源失电", "auxiliary supply lost"},
    {5, 1, 1, "掉电", "power lost"},
    {6, 1, 1, "需量超限", "demand over limit"},
    {7, 1, 1, "总功率因数超下限", "power factor low"},
    {8, 1, 1, "电流严重不平衡", "severe current unbalance"},
};
inline constexpr BitName kActiveCombinationBits[] = {
    {0, 1, 1, "正向有功加", "plus forward"},
    {1, 1, 1, "正向有功减", "minus forward"},
    {2, 1, 1, "反向有功加", "plus reverse"},
    {3, 1, 1, "反向有功减", "minus reverse"},
};
inline constexpr BitName kReactiveCombinationBits[] = {
    {0, 1, 1, "第1象限加", "plus quadrant 1"}, {1, 1, 1, "第1象限减", "minus quadrant 1"},
    {2, 1, 1, "第2象限加", "plus quadrant 2"}, {3, 1, 1, "第2象限减", "minus quadrant 2"},
    {4, 1, 1, "第3象限加", "plus quadrant 3"}, {5, 1, 1, "第3象限减", "minus quadrant 3"},
    {6, 1, 1, "第4象限加", "plus quadrant 4"}, {7, 1, 1, "第4象限减", "minus quadrant 4"},
};
inline constexpr BitName kBaudBits[] = {
    {1, 1, 1, "600bps", "600 bit/s"},   {2, 1, 1, "1200bps", "1200 bit/s"}, {3, 1, 1, "2400bps", "2400 bit/s"},
    {4, 1, 1, "4800bps", "4800 bit/s"}, {5, 1, 1, "9600bps", "9600 bit/s"}, {6, 1, 1, "19200bps", "19200 bit/s"},
};
inline constexpr BitName kWeekendBits[] = {
    {0, 1, 0, "周日休息", "Sunday off"},    {1, 1, 0, "周一休息", "Monday off"},   {2, 1, 0, "周二休息", "Tuesday off"},
    {3, 1, 0, "周三休息", "Wednesday off"}, {4, 1, 0, "周四休息", "Thursday off"}, {5, 1, 0, "周五休息", "Friday off"},
    {6, 1, 0, "周六休息", "Saturday off"},
};
inline constexpr BitName kLoadProfileBits[] = {
    {0, 1, 1, "电压、电流、频率", "voltage, current, frequency"},
    {1, 1, 1, "有功、无功功率", "active and reactive power"},
    {2, 1, 1, "功率因数", "power factor"},
    {3, 1, 1, "有功、无功总电能", "active and reactive energy"},
    {4, 1, 1, "四象限无功总电能", "reactive energy of the quadrants"},
    {5, 1, 1, "当前需量", "present demand"},
};
inline constexpr BitName kFreezeBits[] = {
    {0, 1, 1, "正向有功电能", "forward active energy"},
    {1, 1, 1, "反向有功电能", "reverse active energy"},
    {2, 1, 1, "组合无功1电能", "combined reactive energy 1"},
    {3, 1, 1, "组合无功2电能", "combined reactive energy 2"},
    {4, 1, 1, "四象限无功电能", "reactive energy of the quadrants"},
    {5, 1, 1, "正向有功最大需量", "forward active maximum demand"},
    {6, 1, 1, "反向有功最大需量", "reverse active maximum demand"},
    {7, 1, 1, "变量", "variables"},
};
inline constexpr BitName kHourlyFreezeBits[] = {
    {0, 1, 1, "正向有功总电能", "forward active energy"},
    {1, 1, 1, "反向有功总电能", "reverse active energy"},
};

}  // namespace voltwell::codec::dlt645
