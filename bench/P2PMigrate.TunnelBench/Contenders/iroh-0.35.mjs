// receive IP: prints its address as JSON, then what it counted. send ADDRESS SECONDS: sends for so long.
import { createRequire } from 'node:module'
const { Iroh } = createRequire(process.cwd() + '/')('@number0/iroh')

const alpn = Buffer.from('p2pmigrate-bench/1')
const piece = 1 << 20

if (process.argv[2] === 'receive') {
  const accept = async (error, connection) => {
    if (error) throw error
    const stream = await connection.acceptUni()
    const buffer = Buffer.alloc(piece)
    let bytes = 0
    for (;;) {
      const read = await stream.read(buffer)
      if (read === null) break
      bytes += Number(read)
    }
    console.log(JSON.stringify({ bytes }))
  }
  const node = await Iroh.memory({ protocols: { [alpn]: () => ({ accept, shutdown: () => {} }) } })
  const wanted = process.argv[3]
  const address = await node.net.nodeAddr()
  const port = (address.addresses ?? []).filter(a => a.includes('.')).map(a => a.split(':').pop())[0]
  console.log(JSON.stringify({ nodeId: address.nodeId, addresses: [`${wanted}:${port}`] }))
  setInterval(() => {}, 1000)
} else {
  const node = await Iroh.memory({})
  const address = JSON.parse(process.argv[3])
  const seconds = Number(process.argv[4])
  const connection = await node.node.endpoint().connect(address, alpn)
  const stream = await connection.openUni()
  console.log('connected')
  const buffer = Buffer.alloc(piece)
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) await stream.writeAll(buffer)
  await stream.finish()
  await connection.closed()
}
