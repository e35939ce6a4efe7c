import CKernels

/// Buffers of blobs and decoded blocks, some hundred kilobytes and more.
public enum LargeBuffers {
    /// Lets the C library give them back to the system as soon as they are freed. Called once, before the
    /// first of them.
    ///
    /// By itself glibc keeps freed buffers of up to 32 MiB (mallopt(3), dynamic mmap threshold). Those here
    /// have many sizes and leave holes between each other: twice the memory, and most of it never comes back.
    public static func returnWhenFreed() { arb_return_buffers_from(400_000) }
}
