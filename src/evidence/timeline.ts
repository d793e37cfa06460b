export { cutsOf, playbackDurationMs, toPlayback, toRecording } from '../recordings/timeline.js';
