/**
 * Train one policy shared by a team of agents: configuration, engine, trainer and checkpoints.
 * Every formula of training runs in the native engine; this package describes what to run, checks
 * it, and owns the loop.
 */
package org.swarmgrad;
