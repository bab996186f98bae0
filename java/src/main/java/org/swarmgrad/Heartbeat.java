// What shows from outside whether an engine's call still moves; not a measure of speed.
package org.swarmgrad;

/**
 * A look at an engine from another thread.
 *
 * @param running whether a call that plays episodes is under way
 * @param beats changes at least once in every step and every segment of every cohort
 * @param iteration under way, or the last one
 */
public record Heartbeat(boolean running, long beats, long iteration) {}
