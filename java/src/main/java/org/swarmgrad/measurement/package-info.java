/**
 * Measuring an engine: throughput, checked answers, and the history that benchmarks are compared
 * with. Shared by the command line and the JMH module.
 */
package org.swarmgrad.measurement;
