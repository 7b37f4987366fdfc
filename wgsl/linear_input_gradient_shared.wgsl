// The input's gradient of a linear layer by tiles in workgroup memory, for GPUs: formula, shapes, order of accumulation in
// lib/linear_input_gradient, layout in lib/shared.
//#include grid
//#header weight
//#include linear_input_gradient
//#include shared_rows
//#include outer
//#include shared
