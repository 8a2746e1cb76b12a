/* reading: where a paper's printed equation and the calibrated one differ, functions take which of the two is
 * meant. The calibrated reading is the default of every profile; the paper's is kept to show the difference.
 */
#ifndef TIERBED_MODEL_READING_H
#define TIERBED_MODEL_READING_H

enum reading { READING_CALIBRATED = 0, READING_PAPER };

/* Slack of every comparison of a delay or an accuracy with its threshold. */
#define THRESHOLD_TOLERANCE 1e-9

#endif
