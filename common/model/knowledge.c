#include "common/model/knowledge.h"

#include <math.h>

double knowledge_slope(struct knowledge_point transition, struct knowledge_point convergence) {
    return (convergence.label_bits - transition.label_bits) /
           (convergence.input_bits - transition.input_bits);
}

double knowledge_index_paper(double slope) {
    return fabs(slope);
}

double knowledge_index(double slope) {
    return 1.0 / fabs(slope);
}

double knowledge_next(double stored_index, double retention, double uploaded_index_max) {
    return fmax(retention * stored_index, uploaded_index_max);
}
