/* knowledge: the index of a trained model on IPOR's information plane. */
#ifndef TIERBED_MODEL_KNOWLEDGE_H
#define TIERBED_MODEL_KNOWLEDGE_H

/* A point of the plane, in bits. */
struct knowledge_point {
    double label_bits; /* I(T;Y) */
    double input_bits; /* I(X;T) */
};

/* IPOR 1.3: kappa = dI(T;Y) / dI(X;T) from transition to convergence; not finite when I(X;T) did not change.
 */
double knowledge_slope(struct knowledge_point transition, struct knowledge_point convergence);

/* L_dev as printed: |kappa|, which ranks the wrong net first. */
double knowledge_index_paper(double slope);
/* L_dev, calibrated: 1 / |kappa|; the smaller the slope the better the net. */
double knowledge_index(double slope);

/* IPOR staleness, calibrated: L_edge(t+1) = max(rho L_edge(t), best uploaded L_dev(t)); 0 for no upload. */
double knowledge_next(double stored_index, double retention, double uploaded_index_max);

#endif
