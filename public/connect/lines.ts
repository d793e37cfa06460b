/**
 * The lines to paste into each PBX, with this installation's address and key in them. The documentation under `docs/pbx`
 * shows the same lines with an example address; a test holds both to each other.
 */

export const vendors = ['asterisk', 'freepbx', 'freeswitch', 'rtpengine', '3cx', 'curl'] as const;
export type Vendor = (typeof vendors)[number];

/** What each PBX is called. */
export const vendorNames: Record<Exclude<Vendor, 'curl'>, string> = {
  asterisk: 'Asterisk',
  freepbx: 'FreePBX, Issabel',
  freeswitch: 'FreeSWITCH, FusionPBX',
  rtpengine: 'rtpengine',
  '3cx': '3CX',
};

export interface Told {
  /** Where the PBX reaches this installation, without a slash at its end. */
  address: string;
  key: string;
  /** The name of the source. */
  source: string;
}

export interface Block {
  /** The step it belongs to: its words are `connect.step.<name>`. */
  name:
    | 'install'
    | 'dialplan'
    | 'cdrAsterisk'
    | 'hookFreepbx'
    | 'record'
    | 'cdrFreeswitch'
    | 'rtpengine'
    | 'pull'
    | 'test'
    | 'push';
  /** The file or the menu it goes into; undefined for a command line. */
  where?: string;
  lines: string;
}

const conf = ({ address, key }: Told) => `URL=${address}
KEY=${key}
SPOOL=/var/spool/asterisk/opname-push
MONITOR_DIR=/var/spool/asterisk/monitor
SCAN=/var/spool/asterisk/monitor
CDR=/var/log/asterisk/cdr-csv/Master.csv`;

const install = (told: Told): Block => ({
  name: 'install',
  lines: `curl -fsS ${told.address}/api/v1/pbx/opname-push -o /usr/local/bin/opname-push
chmod 755 /usr/local/bin/opname-push
install -m 600 -o asterisk /dev/null /etc/opname-push.conf
cat >/etc/opname-push.conf <<'END'
${conf(told)}
END
echo '* * * * * asterisk /usr/local/bin/opname-push --drain' >/etc/cron.d/opname-push
su -s /bin/sh asterisk -c '/usr/local/bin/opname-push --test'`,
});

const dialplan: Block = {
  name: 'dialplan',
  where: '/etc/asterisk/extensions.conf',
  lines: `[record]
exten => s,1,Set(NAME=\${STRFTIME(\${EPOCH},,%Y/%m/%d)}/external-\${ARG1}-\${FILTER(0-9+,\${CALLERID(num)})}-\${STRFTIME(\${EPOCH},,%Y%m%d-%H%M%S)}-\${UNIQUEID})
 same => n,Set(WHO=\${IF($["\${CALLERID(num-pres):0:4}" = "proh"]?anonymous:\${FILTER(0-9+,\${CALLERID(num)})})})
 same => n,Set(PUSH=/usr/local/bin/opname-push callId=\${UNIQUEID} linkedId=\${CHANNEL(linkedid)} startedAt=\${STRFTIME(\${EPOCH},UTC,%Y-%m-%dT%H:%M:%SZ)} direction=inbound caller=\${WHO} callee=\${FILTER(0-9+,\${ARG1})} ^{MIXMONITOR_FILENAME})
 same => n,MixMonitor(\${NAME}.wav,r(\${NAME}-in.wav)t(\${NAME}-out.wav),\${PUSH})
 same => n,Return()

[from-trunk]
exten => _X.,1,Gosub(record,s,1(\${EXTEN}))
 same => n,Dial(PJSIP/201,20)`,
};

const cdrAsterisk: Block = {
  name: 'cdrAsterisk',
  where: '/etc/asterisk/cdr.conf',
  lines: `[csv]
usegmtime=yes
loguniqueid=yes
loguserfield=yes
newcdrcolumns=yes`,
};

const hookFreepbx: Block = {
  name: 'hookFreepbx',
  where: 'Settings → Advanced Settings → Call Recording → Post Call Recording Script',
  lines: '/usr/local/bin/opname-push ^{MIXMONITOR_FILENAME}',
};

const record = ({ address, key }: Told): Block => ({
  name: 'record',
  where: 'dialplan/default.xml',
  lines: `<action application="set" data="RECORD_STEREO=true"/>
<action application="set" data="RECORD_MIN_SEC=1"/>
<action application="set" data="execute_on_answer=record_session http_cache://${address}/api/v1/push/${key}/recordings/\${uuid}.wav"/>`,
});

const cdrFreeswitch = ({ address, key }: Told): Block => ({
  name: 'cdrFreeswitch',
  where: 'autoload_configs/xml_cdr.conf.xml',
  lines: `<param name="url" value="${address}/api/v1/push/${key}/cdr/freeswitch"/>
<param name="encode" value="true"/>
<param name="retries" value="10"/>
<param name="delay" value="30"/>
<param name="err-log-dir" value="xml_cdr_failed"/>`,
});

const rtpengine = ({ address, key }: Told): Block => ({
  name: 'rtpengine',
  where: '/etc/rtpengine/rtpengine-recording.conf',
  lines: `output-storage = file
notify-uri = ${address}/api/v1/push/${key}/rtpengine
notify-post = true
notify-record = true
notify-purge = true
output-mixed = true
output-single = true
mix-method = channels
mix-num-inputs = 2`,
});

const pull = ({ source }: Told): Block => ({
  name: 'pull',
  where: 'PULL_SOURCES_FILE',
  lines: `[{"kind": "3cx", "source": ${JSON.stringify(source)}, "url": "https://pbx.example.nl:5001", "clientId": "opname", "clientSecret": "…"}]`,
});

/** For a PBX that needs no uploader: fetched to this folder for the test alone. */
const test = ({ address, key }: Told): Block => ({
  name: 'test',
  lines: `mkdir -m 700 opname-test && cd opname-test
curl -fsS ${address}/api/v1/pbx/opname-push -o opname-push
printf 'URL=%s\\nKEY=%s\\nSPOOL=%s\\n' ${address} ${key} "$PWD" >conf
OPNAME_PUSH_CONF=conf sh opname-push --test; cd .. && rm -r opname-test`,
});

const push = ({ address, key }: Told): Block => ({
  name: 'push',
  lines: `curl -w '\\n%{http_code}\\n' -H "Authorization: Bearer ${key}" \\
  -F callId=4711 -F startedAt=$(date -u +%Y-%m-%dT%H:%M:%SZ) \\
  -F caller=+31850000101 -F callee=0850000001 -F agent=201 -F queue=support \\
  -F sha256=$(sha256sum <call.wav | cut -d' ' -f1) \\
  -F audio=@call.wav ${address}/api/v1/recordings`,
});

/** What is to be done on a PBX, in order. */
export function linesFor(vendor: Vendor, told: Told): Block[] {
  switch (vendor) {
    case 'asterisk':
      return [install(told), dialplan, cdrAsterisk];
    case 'freepbx':
      return [install(told), hookFreepbx];
    case 'freeswitch':
      return [test(told), record(told), cdrFreeswitch(told)];
    case 'rtpengine':
      return [test(told), rtpengine(told)];
    case '3cx':
      return [pull(told)];
    case 'curl':
      return [test(told), push(told)];
  }
}
