// What an open engine turned its configuration into; constant while it is open.
package org.swarmgrad;

/**
 * Facts about an open engine.
 *
 * @param agentCount agents of all groups
 * @param horizon steps of an episode
 * @param threads worker threads of the CPU engine, 0 on a GPU
 * @param instructionSet the one in use, never AUTO; on a GPU the host's, for simulators
 * @param replays whether backward recomputes the forward pass instead of reading stored
 *     activations; the same bits
 * @param bufferCount named buffers
 * @param cohortCount groups of up to 16 environments
 * @param parameterCount over all groups, policies first, then value networks
 * @param bytesPerCohort a worker's scratch for one cohort, bytes
 * @param bytesTotal everything the engine holds, bytes
 * @param flopPerAgentStep useful floating-point operations: 2 x multiply-adds of the policy's
 *     forward, weight gradient, and input gradient but for the first layer
 */
public record EngineInfo(
    int agentCount,
    int horizon,
    int threads,
    InstructionSet instructionSet,
    boolean replays,
    int bufferCount,
    long cohortCount,
    long parameterCount,
    long bytesPerCohort,
    long bytesTotal,
    long flopPerAgentStep) {}
