// Rows in single columns, where a head's halves begin at odd ones.
alias L = f32;
