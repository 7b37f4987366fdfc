// The input's gradient of a linear layer for devices with subgroups: formula, shapes, order of accumulation in
// lib/linear_input_gradient, layout in lib/broadcast.
//#include grid
//#header weight
//#header member
//#include linear_input_gradient
//#include products
//#include products8
//#include broadcast
