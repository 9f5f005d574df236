// Messages of PlanScan to the library's values and back.
#pragma once

#include "libs/codec/scan.h"
#include "voltwell/codec/v1/codec_service.pb.h"

namespace voltwell::codec_service {

codec::ScanRules FromProto(const voltwell::codec::v1::ScanRules& rules);
codec::ScanAnswer FromProto(const voltwell::codec::v1::ScanAnswer& answer);
void ToProto(const codec::ScanStep& step, voltwell::codec::v1::PlanScanResponse& out);

}  // namespace voltwell::codec_service
