// hyperdht between two peers of the lab, one JSON object a line.
//   node hyperdht.cjs MODULES meet ADDRESS...           a small DHT of its own, on addresses of this machine
//   node hyperdht.cjs MODULES wait BOOTSTRAP...         a server that echoes
//   node hyperdht.cjs MODULES dial KEY BOOTSTRAP...     connects, asks for one byte, tells how long it took
const [, , modules, role, ...rest] = process.argv
const DHT = require(require.resolve('hyperdht', { paths: [modules] }))
const say = (what) => console.log(JSON.stringify(what))

// A NAT is judged by what several nodes see: on two addresses and several ports.
async function meet (hosts) {
  const bootstrap = []
  for (let i = 0; i < 8; i++) {
    const host = hosts[i % hosts.length]
    const node = new DHT({ ephemeral: false, firewalled: false, bootstrap: [...bootstrap], host, port: 4000 + i, anyPort: false })
    await node.fullyBootstrapped()
    if (bootstrap.length < 3) bootstrap.push({ host, port: 4000 + i })
  }
  say({ event: 'listening', bootstrap: bootstrap.map(node => `${node.host}:${node.port}`) })
}

async function wait (bootstrap) {
  const server = new DHT({ bootstrap }).createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', data => socket.write(data))
  })
  await server.listen()
  say({ event: 'waiting', key: server.publicKey.toString('hex') })
}

async function dial (key, bootstrap) {
  const node = new DHT({ bootstrap })
  await node.fullyBootstrapped() // Ours is registered before it dials, too; both then know their NAT.
  const begun = process.hrtime.bigint()
  const passed = () => Number(process.hrtime.bigint() - begun) / 1e6
  const socket = node.connect(Buffer.from(key, 'hex'))
  const end = (result) => { say(result); process.exit(0) }
  setTimeout(() => end({ event: 'failed', why: 'no connection within 60 s' }), 60000)
  socket.on('error', error => end({ event: 'failed', why: error.message, ms: passed() }))
  socket.on('open', () => socket.write(Buffer.from('?')))
  socket.once('data', () => end({ event: 'connected', ms: passed(), remote: socket.rawStream.remoteHost }))
}

const work = role === 'meet' ? meet(rest) : role === 'wait' ? wait(rest) : dial(rest[0], rest.slice(1))
work.catch(error => { console.error(error); process.exit(1) })
