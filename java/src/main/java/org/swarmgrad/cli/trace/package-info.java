/** Recorded trajectories of reference implementations, replayed and compared. */
package org.swarmgrad.cli.trace;
