// Matrices that are multiplied at once: M x K by K x N.
const M = 16u;
const N = 8u;
const K = 16u;
