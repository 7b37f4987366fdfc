// Matrices that are multiplied at once: M x K by K x N.
const M = 8u;
const N = 16u;
const K = 16u;
