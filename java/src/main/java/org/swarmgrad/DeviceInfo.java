// What a GPU is, as the CUDA engine's library says; what it does at the moment is
// DeviceTelemetry's.
package org.swarmgrad;

/**
 * Facts about one GPU.
 *
 * @param device by which an engine is opened on it
 * @param name of the product
 * @param computeCapability for example "9.0"
 * @param multiprocessors that run blocks
 * @param memoryBytes in all
 * @param freeMemoryBytes not in use by any program at the moment
 * @param driverVersion the newest CUDA that the driver runs, for example "13.0"
 * @param runtimeVersion the CUDA that the library was built with
 * @param pciBusId by which other tools know it, under whatever index
 */
public record DeviceInfo(
    Device device,
    String name,
    String computeCapability,
    int multiprocessors,
    long memoryBytes,
    long freeMemoryBytes,
    String driverVersion,
    String runtimeVersion,
    String pciBusId) {}
