/* trace_file: the file format of a part, shared by its writer and the merge. */
#ifndef TIERBED_RECORD_TRACE_FILE_H
#define TIERBED_RECORD_TRACE_FILE_H

#include "common/base/bytes.h"
#include "common/record/trace.h"

#define TRACE_MAGIC "TBTRACE1"
#define TRACE_MAGIC_BYTES ((size_t)8)
#define TRACE_ENTRY_BYTES ((size_t)48)

void trace_entry_encode(struct bytes_writer *writer, const struct trace_entry *entry);
void trace_entry_decode(struct bytes_reader *reader, struct trace_entry *entry);

#endif
