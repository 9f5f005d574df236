/* libmbus behind two functions, so that the benchmark needs none of its types. Built with libmbus's own sources by
 * tools/suite/libmbus.py into one shared library. */
#include <string.h>

#include "mbus-protocol.h"

/* Parses one frame as libmbus does before anybody looks at a value: link layer, header, records with their DIF, VIF and
 * data bytes. Returns the number of records; -1: not parsed. */
long voltwell_libmbus_parse(const unsigned char *bytes, size_t size) {
  mbus_frame frame;
  mbus_frame_data data;
  long records = -1;
  memset(&frame, 0, sizeof frame);
  memset(&data, 0, sizeof data);
  if (mbus_parse(&frame, (unsigned char *)bytes, size) == 0 && mbus_frame_data_parse(&frame, &data) == 0) {
    records = data.type == MBUS_DATA_TYPE_FIXED ? 2 : (long)data.data_var.nrecords;
  }
  if (data.data_var.record) mbus_data_record_free(data.data_var.record);
  return records;
}
