"""How a stranger's table is read: kind of outcome, columns of classes, folds, frames."""
