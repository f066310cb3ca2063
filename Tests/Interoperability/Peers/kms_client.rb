# The AWS SDK for Ruby against our endpoint: the everyday operations, pages, and errors by their classes. Debian's is of 2019, when
# KMS had symmetric keys only: what it did then works now.
#
#     ruby kms_client.rb ENDPOINT
#
# The environment has a root's keys (AWS_...).
require "aws-sdk-kms"

KMS = Aws::KMS::Client.new(endpoint: ARGV[0], region: "us-east-1", retry_limit: 0)

def check(truth, what)
  raise "not so: #{what}" unless truth
end

def refused(error)
  yield
  raise "#{error} expected"
rescue error => refusal
  check(!refusal.message.empty?, "a message of #{error}")
end

identity = Aws::STS::Client.new(endpoint: ARGV[0], region: "us-east-1").get_caller_identity
check(identity.account == "111122223333", "who asks")

key = KMS.create_key(description: "from Ruby", tags: [{ tag_key: "team", tag_value: "blue" }]).key_metadata
check(KMS.describe_key(key_id: key.arn).key_metadata == key, "a key as it was made")
context = { "tenant" => "42", "name" => "caf\u00e9" }
plaintext = (0..255).to_a.pack("C*") * 16
sealed = KMS.encrypt(key_id: key.key_id, plaintext: plaintext, encryption_context: context).ciphertext_blob
opened = KMS.decrypt(ciphertext_blob: sealed, encryption_context: context)
check(opened.plaintext == plaintext && opened.key_id == key.arn, "a message")
refused(Aws::KMS::Errors::InvalidCiphertextException) { KMS.decrypt(ciphertext_blob: sealed) }

data = KMS.generate_data_key(key_id: key.key_id, key_spec: "AES_256")
check(KMS.decrypt(ciphertext_blob: data.ciphertext_blob).plaintext == data.plaintext, "a data key")

5.times { |index| KMS.create_alias(alias_name: "alias/ruby-#{index}", target_key_id: key.key_id) }
refused(Aws::KMS::Errors::AlreadyExistsException) { KMS.create_alias(alias_name: "alias/ruby-0", target_key_id: key.key_id) }
pages = 0
names = []
marker = nil
loop do
  page = KMS.list_aliases(key_id: key.key_id, limit: 2, marker: marker)
  pages += 1
  names += page.aliases.map(&:alias_name)
  break unless page.truncated
  marker = page.next_marker
end
check(pages == 3 && names.sort == (0..4).map { |index| "alias/ruby-#{index}" }, "pages of aliases")
refused(Aws::KMS::Errors::NotFoundException) { KMS.describe_key(key_id: "alias/none") }
KMS.disable_key(key_id: key.key_id)
refused(Aws::KMS::Errors::DisabledException) { KMS.encrypt(key_id: "alias/ruby-1", plaintext: "x") }
puts "the SDK for Ruby passed"
