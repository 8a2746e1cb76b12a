/* experiment_schema: the table of every key of a sweep file, in the terms of common/model/scenario_schema.h.
 */
#ifndef TIERBED_CLI_EXPERIMENT_SCHEMA_H
#define TIERBED_CLI_EXPERIMENT_SCHEMA_H

#include "common/model/scenario_schema.h"

extern const struct schema sweep_schema;

#endif
