// What Terraform's provider for AWS asks of KMS when it makes, reads, changes and destroys its resources, by the SDK for Go that it is
// made with: keys, aliases, grants, replicas, imported material, ciphertexts.
//
//	go run kms_infrastructure.go ENDPOINT
//
// The environment has a root's keys (AWS_...).
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

var ctx = context.Background()

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func require(isTrue bool, what string) {
	if !isTrue {
		panic("not so: " + what)
	}
}

// The SDK makes a type of its own of each of the service's errors; a provider decides by it.
func refused[E error](err error, what string) {
	var expected E
	require(err != nil && errors.As(err, &expected), fmt.Sprint(what, ": ", err))
}

func configuration(region string) aws.Config {
	endpoint := aws.EndpointResolverWithOptionsFunc(
		func(service, region string, options ...interface{}) (aws.Endpoint, error) {
			return aws.Endpoint{URL: os.Args[1], SigningRegion: region}, nil
		})
	return aws.Config{
		Region: region, EndpointResolverWithOptions: endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(
			os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	}
}

func isSameJSON(one, other string) bool {
	var first, second interface{}
	return json.Unmarshal([]byte(one), &first) == nil && json.Unmarshal([]byte(other), &second) == nil &&
		reflect.DeepEqual(first, second)
}

func tags(client *kms.Client, key *string) map[string]string {
	found := map[string]string{}
	var marker *string
	for {
		page := must(client.ListResourceTags(ctx, &kms.ListResourceTagsInput{
			KeyId: key, Limit: aws.Int32(1), Marker: marker}))
		for _, tag := range page.Tags {
			found[*tag.TagKey] = *tag.TagValue
		}
		if !page.Truncated {
			return found
		}
		marker = page.NextMarker
	}
}

func keys(client *kms.Client, account string) {
	policy := fmt.Sprintf(`{"Version": "2012-10-17", "Id": "example", "Statement": [{"Sid": "Account", "Effect": "Allow",
		"Principal": {"AWS": "arn:aws:iam::%s:root"}, "Action": "kms:*", "Resource": "*"}]}`, account)
	made := must(client.CreateKey(ctx, &kms.CreateKeyInput{
		Description: aws.String("payments"), KeySpec: types.KeySpecSymmetricDefault,
		KeyUsage: types.KeyUsageTypeEncryptDecrypt, Policy: aws.String(policy),
		Tags: []types.Tag{
			{TagKey: aws.String("team"), TagValue: aws.String("blue")},
			{TagKey: aws.String("stage"), TagValue: aws.String("test")},
		},
	})).KeyMetadata
	id := made.KeyId
	must(client.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: id}))
	// Read, as after each change: what differs from what was written would be a change to make at the next run.
	read := must(client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})).KeyMetadata
	require(*read.Arn == *made.Arn && *read.Description == "payments" && read.Enabled, "the key")
	require(read.KeySpec == types.KeySpecSymmetricDefault && !*read.MultiRegion, "its kind")
	text := must(client.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id, PolicyName: aws.String("default")})).Policy
	require(isSameJSON(*text, policy), "its policy "+*text)
	require(must(client.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id})).KeyRotationEnabled, "rotation")
	require(reflect.DeepEqual(tags(client, id), map[string]string{"team": "blue", "stage": "test"}), "its tags")

	must(client.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: id, Description: aws.String("other")}))
	must(client.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: id}))
	must(client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: id}))
	must(client.UntagResource(ctx, &kms.UntagResourceInput{KeyId: id, TagKeys: []string{"stage"}}))
	must(client.TagResource(ctx, &kms.TagResourceInput{
		KeyId: id, Tags: []types.Tag{{TagKey: aws.String("team"), TagValue: aws.String("red")}}}))
	read = must(client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})).KeyMetadata
	require(*read.Description == "other" && read.KeyState == types.KeyStateDisabled, "what was changed")
	require(reflect.DeepEqual(tags(client, id), map[string]string{"team": "red"}), "its other tags")
	_, err := client.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{
		KeyId: id, PolicyName: aws.String("default"), Policy: aws.String(`{"Statement": []}`)})
	refused[*types.MalformedPolicyDocumentException](err, "a policy that locks out")
	must(client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id}))

	destroy(client, id)
	_, err = client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("00000000-0000-4000-8000-000000000000")})
	refused[*types.NotFoundException](err, "a key that is not there")
}

func destroy(client *kms.Client, id *string) {
	must(client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)}))
	gone := must(client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})).KeyMetadata
	require(gone.KeyState == types.KeyStatePendingDeletion && gone.DeletionDate.After(time.Now()), "a key that goes")
	_, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id})
	refused[*types.KMSInvalidStateException](err, "a key that goes already")
}

func alias(client *kms.Client, name string) *types.AliasListEntry {
	pages := kms.NewListAliasesPaginator(client, &kms.ListAliasesInput{Limit: aws.Int32(1)})
	for pages.HasMorePages() {
		for _, entry := range must(pages.NextPage(ctx)).Aliases {
			if *entry.AliasName == name {
				return &entry
			}
		}
	}
	return nil
}

func aliases(client *kms.Client) {
	one := must(client.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
	other := must(client.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
	name := aws.String("alias/infrastructure")
	must(client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/a"), TargetKeyId: one}))
	must(client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: one}))
	require(*alias(client, *name).TargetKeyId == *one, "an alias")
	_, err := client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: other})
	refused[*types.AlreadyExistsException](err, "an alias twice")
	must(client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: other}))
	require(*alias(client, *name).TargetKeyId == *other, "an alias of another key")
	must(client.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: name}))
	require(alias(client, *name) == nil, "an alias that is gone")
	_, err = client.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: name})
	refused[*types.NotFoundException](err, "an alias that was gone")
}

func grant(client *kms.Client, key, id *string) *types.GrantListEntry {
	pages := kms.NewListGrantsPaginator(client, &kms.ListGrantsInput{KeyId: key, Limit: aws.Int32(1)})
	for pages.HasMorePages() {
		for _, entry := range must(pages.NextPage(ctx)).Grants {
			if *entry.GrantId == *id {
				return &entry
			}
		}
	}
	return nil
}

func grants(client *kms.Client, account string) {
	key := must(client.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
	reader := "arn:aws:iam::" + account + ":user/reader"
	for range [2]int{} {
		must(client.CreateGrant(ctx, &kms.CreateGrantInput{
			KeyId: key, GranteePrincipal: &reader, Operations: []types.GrantOperation{types.GrantOperationDescribeKey}}))
	}
	made := must(client.CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: key, Name: aws.String("reading"), GranteePrincipal: &reader, RetiringPrincipal: &reader,
		Operations: []types.GrantOperation{types.GrantOperationDecrypt, types.GrantOperationEncrypt},
		// The provider writes both constraints always, one of them empty.
		Constraints: &types.GrantConstraints{
			EncryptionContextEquals: map[string]string{"tenant": "42"}, EncryptionContextSubset: map[string]string{}},
	}))
	read := grant(client, key, made.GrantId)
	require(*read.Name == "reading" && *read.GranteePrincipal == reader && *read.RetiringPrincipal == reader, "a grant")
	require(len(read.Operations) == 2 && read.Constraints.EncryptionContextEquals["tenant"] == "42", "what it allows")
	must(client.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key, GrantId: made.GrantId}))
	require(grant(client, key, made.GrantId) == nil, "a grant that is revoked")
	_, err := client.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key, GrantId: made.GrantId})
	refused[*types.NotFoundException](err, "a grant that was gone")
}

func ciphertexts(client *kms.Client) {
	key := must(client.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
	tenant := map[string]string{"tenant": "42"}
	sealed := must(client.Encrypt(ctx, &kms.EncryptInput{
		KeyId: key, Plaintext: []byte("a password"), EncryptionContext: tenant})).CiphertextBlob
	opened := must(client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed, EncryptionContext: tenant}))
	require(string(opened.Plaintext) == "a password", "a secret")
	_, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed})
	refused[*types.InvalidCiphertextException](err, "another context")

	pair := must(client.CreateKey(ctx, &kms.CreateKeyInput{
		KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})).KeyMetadata.KeyId
	// Asked of each key, whatever its kind.
	require(!must(client.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: pair})).KeyRotationEnabled, "a pair")
	public := must(x509.ParsePKIXPublicKey(
		must(client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: pair})).PublicKey)).(*rsa.PublicKey)
	signature := must(client.Sign(ctx, &kms.SignInput{
		KeyId: pair, Message: []byte("a message"), SigningAlgorithm: types.SigningAlgorithmSpecRsassaPssSha256})).Signature
	digest := sha256.Sum256([]byte("a message"))
	require(rsa.VerifyPSS(public, 5, digest[:], signature, nil) == nil, "a signature")
}

func imported(client *kms.Client) {
	key := must(client.CreateKey(ctx, &kms.CreateKeyInput{Origin: types.OriginTypeExternal})).KeyMetadata.KeyId
	parameters := must(client.GetParametersForImport(ctx, &kms.GetParametersForImportInput{
		KeyId: key, WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048}))
	public := must(x509.ParsePKIXPublicKey(parameters.PublicKey)).(*rsa.PublicKey)
	wrapped := must(rsa.EncryptOAEP(sha256.New(), rand.Reader, public, bytes.Repeat([]byte{7}, 32), nil))
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	must(client.ImportKeyMaterial(ctx, &kms.ImportKeyMaterialInput{
		KeyId: key, EncryptedKeyMaterial: wrapped, ImportToken: parameters.ImportToken,
		ExpirationModel: types.ExpirationModelTypeKeyMaterialExpires, ValidTo: &until}))
	read := must(client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key})).KeyMetadata
	require(read.KeyState == types.KeyStateEnabled && read.ValidTo.Equal(until), fmt.Sprint("material until ", read.ValidTo))
	must(client.DeleteImportedKeyMaterial(ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: key}))
	read = must(client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key})).KeyMetadata
	require(read.KeyState == types.KeyStatePendingImport, "material that is gone")
}

func replicas(client, abroad *kms.Client) {
	primary := must(client.CreateKey(ctx, &kms.CreateKeyInput{MultiRegion: aws.Bool(true)})).KeyMetadata
	must(client.ReplicateKey(ctx, &kms.ReplicateKeyInput{
		KeyId: primary.Arn, ReplicaRegion: aws.String("eu-west-1"), Description: aws.String("abroad")}))
	replica := must(abroad.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: primary.KeyId})).KeyMetadata
	configuration := replica.MultiRegionConfiguration
	require(configuration.MultiRegionKeyType == types.MultiRegionKeyTypeReplica, "a replica")
	require(*configuration.PrimaryKey.Arn == *primary.Arn && *replica.Description == "abroad", "its primary")
	sealed := must(client.Encrypt(ctx, &kms.EncryptInput{KeyId: primary.KeyId, Plaintext: []byte("far")})).CiphertextBlob
	opened := must(abroad.Decrypt(ctx, &kms.DecryptInput{KeyId: primary.KeyId, CiphertextBlob: sealed})).Plaintext
	require(string(opened) == "far", "what the primary has sealed")
	destroy(abroad, replica.KeyId)
}

func main() {
	identity := must(sts.NewFromConfig(configuration("us-east-1")).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	require(*identity.Account == "111122223333" && *identity.Arn == "arn:aws:iam::111122223333:root", "who asks")
	client := kms.NewFromConfig(configuration("us-east-1"))
	keys(client, *identity.Account)
	aliases(client)
	grants(client, *identity.Account)
	ciphertexts(client)
	imported(client)
	replicas(client, kms.NewFromConfig(configuration("eu-west-1")))
	fmt.Println("the SDK for Go makes, reads, changes and destroys keys, aliases, grants, replicas and imported material")
}
