// linear for devices with subgroups: formula, shapes, order of accumulation in lib/linear, layout in lib/broadcast.
//#include grid
//#header weight
//#header member
//#include linear
//#include products
//#include products8
//#include broadcast
