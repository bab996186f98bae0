/**
 * The judge: policy, weights and gradient written out in double precision with plain loops, and the
 * small game summed over every trajectory. It is compared with the engine by the tests and by
 * {@code swarmgrad verify}; it is never optimised and never trains.
 */
package org.swarmgrad.reference;
