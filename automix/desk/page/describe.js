/* What buses and the master are, in the words of a mix engineer. */

import { figure, round } from "./drawing.js";

const BAND_KINDS = { high_pass: "low cut", low_shelf: "low shelf", peak: "band", high_shelf: "high shelf" };

/** A number as short as it can be: 2.2, 300, −1. */
function short(value, decimals = 1) {
  return figure(round(value, decimals), decimals).replace(/\.0+$/, "");
}

function seconds(value) {
  return value < 1 ? `${short(1000 * value, 0)} ms` : `${short(value)} s`;
}

function isCompressing({ threshold_db: threshold, ratio }) {
  return threshold < 0 && ratio > 1;
}

/** What a bus does to what is sent to it: "reverb 2.2 s", "echo 300 ms", "parallel compressor 8:1". */
export function describeBus({ parallel, compressor, reverb, space, delay }) {
  if (parallel && isCompressing(compressor)) return `parallel compressor ${short(compressor.ratio)}:1`;
  if (parallel) return "parallel";
  if (delay.wet > 0) return `${delay.ping_pong ? "ping-pong" : "echo"} ${short(delay.time_ms, 0)} ms`;
  if (space.wet > 0) return space.space;
  if (reverb.dry_wet > 0) return `reverb ${seconds(reverb.reverberation_time_s)}`;
  return "dry";
}

function describeEqualizer({ bands }) {
  const active = bands.filter(({ kind, gain_db: gain }) => kind === "high_pass" || gain !== 0);
  if (!active.length) return [];
  if (active.length === 1) return [`EQ ${BAND_KINDS[active[0].kind]}`];
  return [`EQ ${active.length} bands`];
}

/** What else a bus does, as short lines. */
export function listBusDetails({ parallel, pre_delay_ms: preDelay, compressor, equalizer, delay }) {
  const lines = [];
  if (preDelay > 0) lines.push(`pre-delay ${short(preDelay, 0)} ms`);
  if (!parallel && delay.wet > 0) lines.push(`feedback ${short(100 * delay.feedback, 0)} %`);
  if (!parallel && isCompressing(compressor)) lines.push(`compressor ${short(compressor.ratio)}:1`);
  return [...lines, ...describeEqualizer(equalizer)];
}

/** Who sends to a bus, the loudest send first: [{name, gain_db, isMuted}]. */
export function listFeeds(plan, bus) {
  const feeds = plan.tracks.flatMap(({ name, mute, sends }) =>
    sends
      .filter((send) => send.bus === bus)
      .map(({ gain_db: gain }) => ({ name, gain_db: gain, isMuted: mute })),
  );
  return feeds.sort((a, b) => b.gain_db - a.gain_db);
}

/** What the master does, as short lines. */
export function listMasterDetails({ equalizer, compressor, limiter }) {
  const lines = describeEqualizer(equalizer);
  if (isCompressing(compressor)) lines.push(`compressor ${short(compressor.ratio)}:1`);
  const isLimited = limiter.ceiling_dbtp < 24;
  lines.push(isLimited ? `limiter ${short(limiter.ceiling_dbtp)} dBTP` : "no limiter");
  return lines;
}
