"""One fit on several devices: a process each, and an average of their gradients.

The fit is the one of a single process. Every batch is that of its order, and each process takes a
part of it, augmented as it is in the whole; parts count by their number of examples, so that the
averaged gradient is the batch's. Validation is split by batches and gathered, so that one process
scores it in its order; it alone writes. What differs is the order of sums, what dropout draws, and
a loss that is no mean over examples (class weights that are divided by their own sum, say): its
parts are averaged, as those of batches that are accumulated.

Statistics of batches are those of all processes on GPUs (SyncBatchNorm); on a CPU they cannot be,
and the fit stays in one process.
"""
