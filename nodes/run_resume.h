/* run_resume: what `--resume DIR` stands for: the resolved scenario of the run directory DIR, and the place
 * on its timeline where the last checkpoint lets a new run go on. */
#ifndef TIERBED_NODES_RUN_RESUME_H
#define TIERBED_NODES_RUN_RESUME_H

#include "nodes/run_options.h"

/* When `options` have a resume_dir: fills in the scenario and the overrides training.resume and
 * training.first_slot, which count after those of the user. Every checkpoint is loaded once, so that what
 * does not fit is found before anything starts: STATUS_INVALID for a folder that is no run directory, a run
 * without scheme or without checkpoint, one that is complete, and a checkpoint that is damaged or does not
 * fit the scenario; STATUS_IO for what cannot be read. */
enum status run_resume(struct run_options *options, struct error *error);

#endif
